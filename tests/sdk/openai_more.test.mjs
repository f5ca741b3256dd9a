// The `openai` package: everything except chat, and the errors.

import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {describe, test} from 'node:test';

import OpenAI, {toFile} from 'openai';

import {answerText} from './support/check.mjs';
import {ACCESS_KEY} from './support/gateway.mjs';
import {openaiFileContent} from './support/openai_api.mjs';
import {deadUrl, drain, failure, lockStep, recordingFetch, useServers} from './support/suite.mjs';

const ask = (content, more) => ({model: 'm-1', messages: [{role: 'user', content}], ...more});

describe('openai, other endpoints', {concurrency: true}, () => {
  const servers = useServers();

  async function start({keys, baseURL, ...options} = {}) {
    const service = await servers.add('openai_compatible', '/openai/v1', {keys});
    const {fetch, sent} = recordingFetch();
    const client = new OpenAI({
      baseURL: baseURL ?? `${service.base}/v1`, apiKey: ACCESS_KEY, maxRetries: 0, fetch, logLevel: 'off', ...options,
    });
    const arrived = () => servers.provider.with(...service.keys);
    return {client, sent, arrived, service, key: service.keys[0]};
  }

  test('responses: create', async () => {
    const {client, sent, arrived} = await start();
    const answer = await client.responses.create({model: 'm-1', input: 'hello'});
    assert.equal(answer.output_text, answerText('hello'));
    assert.equal(arrived()[0].body.toString(), sent[0]);
  });

  test('responses: stream arrives event by event', async () => {
    const {client, key} = await start();
    const lock = lockStep();
    servers.provider.script(key, lock.script);
    const stream = client.responses.stream({model: 'm-1', input: 'live'});
    const {events, error} = await drain(stream, lock.saw);
    assert.ifError(error);
    assert.deepEqual(events.map(e => e.sequence_number), events.map((_, i) => i));
    assert.equal(events[0].type, 'response.created');
    assert.equal(events.at(-1).type, 'response.completed');
    const text = events.filter(e => e.type === 'response.output_text.delta').map(e => e.delta).join('');
    assert.equal(text, answerText('live'));
    assert.equal((await stream.finalResponse()).output_text, answerText('live'));
  });

  test('embeddings, base64 and float', async () => {
    const {client} = await start();
    const packed = await client.embeddings.create({model: 'e-1', input: ['a', 'b']});
    assert.deepEqual(packed.data.map(d => [...d.embedding]), [[0.25, -1.5, 0], [0.25, -1.5, 1]]);
    const plain = await client.embeddings.create({model: 'e-1', input: 'a', encoding_format: 'float'});
    assert.deepEqual(plain.data[0].embedding, [0.25, -1.5, 0]);
  });

  test('model list and one model', async () => {
    const {client} = await start();
    const {events} = await drain(client.models.list());
    assert.deepEqual(events.map(m => m.id), ['m-1', 'm-2', 'm-3']);
    assert.equal((await client.models.retrieve('m-2')).id, 'm-2');
  });

  test('an escaped slash in a path stays escaped', async () => {
    const {client} = await start();
    assert.equal((await client.models.retrieve('accounts/x/m')).id, 'accounts/x/m');
  });

  test('files: upload, list, content, delete', async () => {
    const {client, arrived} = await start();
    const content = randomBytes(300_000);
    const file = await client.files.create({file: await toFile(content, 'dätä.jsonl'), purpose: 'assistants'});
    assert.deepEqual([file.bytes, file.purpose], [300_000, 'assistants']);
    const form = await arrived()[0].form();
    assert.equal(form.get('file').name, 'dätä.jsonl');
    assert.ok(Buffer.from(await form.get('file').arrayBuffer()).equals(content));
    assert.deepEqual((await client.files.list({limit: 5, purpose: 'assistants'})).data, []);
    const download = await client.files.content('file-1');
    assert.ok(Buffer.from(await download.arrayBuffer()).equals(openaiFileContent));
    assert.equal((await client.files.delete('file-1')).deleted, true);
  });

  test('audio: transcription upload and speech download', async () => {
    const {client, arrived} = await start();
    const sound = randomBytes(64_000);
    const answer = await client.audio.transcriptions.create({file: await toFile(sound, 'a.wav'), model: 'whisper-1'});
    assert.equal(answer.text, 'heard 64000 bytes as whisper-1');
    const form = await arrived()[0].form();
    assert.ok(Buffer.from(await form.get('file').arrayBuffer()).equals(sound));
    const speech = await client.audio.speech.create({model: 'tts-1', voice: 'alloy', input: 'hi'});
    assert.equal(speech.headers.get('content-type'), 'audio/mpeg');
    assert.ok(Buffer.from(await speech.arrayBuffer()).equals(openaiFileContent));
  });

  const CLASSES = [
    [400, OpenAI.BadRequestError], [404, OpenAI.NotFoundError], [422, OpenAI.UnprocessableEntityError],
    [429, OpenAI.RateLimitError], [500, OpenAI.InternalServerError], [503, OpenAI.InternalServerError],
  ];
  for (const [status, errorClass] of CLASSES) {
    test(`the provider's ${status} arrives unchanged`, async () => {
      const {client, key, arrived} = await start();
      const error = {message: `no: ${status}`, type: 'provider_type', param: 'p', code: `c${status}`};
      const headers = {'x-request-id': `req_${status}`, 'retry-after': '3', 'x-ratelimit-limit-requests': '60'};
      servers.provider.script(key, {status, headers, body: {error}});
      for (const stream of [false, true]) {
        const thrown = await failure(client.chat.completions.create(ask('x', {stream})), errorClass);
        assert.equal(thrown.status, status);
        assert.deepEqual(thrown.error, error);
        assert.equal(thrown.requestID, `req_${status}`);
        assert.equal(thrown.headers.get('retry-after'), '3');
        assert.equal(thrown.headers.get('x-ratelimit-limit-requests'), '60');
        assert.equal(thrown.headers.get('x-rotator-error-source'), 'upstream');
        if (status === 429 || status === 503) break;  // the hint puts the only key aside; see "all keys cooling"
      }
      const once = status === 429 || status === 503;
      assert.equal(arrived().length, once ? 1 : 2, 'one attempt for each request: there is one key');
    });
  }

  // Our own errors: the class and the message say what it is, the header says it was us.
  function assertOurs(error, status, code) {
    assert.equal(error.status, status);
    assert.ok(error.error?.message, `a message in ${JSON.stringify(error.error)}`);
    assert.match(error.message, new RegExp(`^${status} .{8}`));
    assert.equal(typeof error.type, 'string');
    assert.ok('param' in error.error && 'code' in error.error);
    if (code) assert.equal(error.code, code);
    assert.equal(error.headers.get('x-rotator-error-source'), 'gateway');
    assert.match(error.headers.get('content-type'), /^application\/json/);
    assert.ok(!error.message.includes(ACCESS_KEY));
  }

  test('wrong access key', async () => {
    const {client, arrived} = await start({apiKey: 'sk-wrong'});
    assertOurs(await failure(client.chat.completions.create(ask('x')), OpenAI.AuthenticationError), 401);
    assertOurs(await failure(client.responses.create({model: 'm', input: 'x', stream: true}), OpenAI.AuthenticationError), 401);
    assertOurs(await failure(client.models.list(), OpenAI.AuthenticationError), 401);
    assert.equal(arrived().length, 0);
  });

  test('unknown service', async () => {
    const {client} = await start({baseURL: `${servers.gateway.url}/llm/nothing-here/v1`});
    assertOurs(await failure(client.chat.completions.create(ask('x')), OpenAI.NotFoundError), 404);
  });

  test('service without keys', async () => {
    const {client} = await start({keys: 0});
    assertOurs(await failure(client.chat.completions.create(ask('x')), OpenAI.InternalServerError), 503, 'no_keys_configured');
    const call = client.chat.completions.create(ask('x', {stream: true}));
    assertOurs(await failure(call, OpenAI.InternalServerError), 503, 'no_keys_configured');
  });

  test('all keys refused by the provider', async () => {
    const {client, service} = await start({keys: 2});
    for (const key of service.keys) {
      servers.provider.script(key, {status: 401, body: {error: {message: `bad key ${key}`, type: 'invalid_request_error'}}});
    }
    const error = await failure(client.chat.completions.create(ask('x')), OpenAI.InternalServerError);
    assertOurs(error, 502, 'upstream_credentials_exhausted');
    for (const key of service.keys) assert.ok(!JSON.stringify(error.error).includes(key), 'no upstream key in the error');
  });

  test('provider that is not there', async () => {
    const service = await servers.gateway.addLlm('openai_compatible', `${await deadUrl()}/v1`, {keys: 2});
    const {client} = await start({baseURL: `${service.base}/v1`});
    const error = await failure(client.chat.completions.create(ask('x')), OpenAI.InternalServerError);
    assertOurs(error, error.status);
  });

  test('provider that hangs up instead of answering', async () => {
    const {client, key} = await start();
    servers.provider.script(key, {dropBeforeAnswer: true});
    const error = await failure(client.chat.completions.create(ask('x')), OpenAI.InternalServerError);
    assertOurs(error, error.status);
  });

  test('all keys cooling', async () => {
    const {client, key, arrived} = await start();
    const error = {message: 'slow down', type: 'requests', param: null, code: 'rate_limit_exceeded'};
    servers.provider.script(key, {status: 429, headers: {'retry-after': '30'}, body: {error}});
    const theirs = await failure(client.chat.completions.create(ask('x')), OpenAI.RateLimitError);
    assert.deepEqual(theirs.error, error);
    const ours = await failure(client.chat.completions.create(ask('x')), OpenAI.RateLimitError);
    assertOurs(ours, 429, 'all_keys_cooling');
    const wait = Number(ours.headers.get('retry-after'));
    assert.ok(wait >= 25 && wait <= 30, `retry-after ${wait}`);
    assert.equal(arrived().length, 1);
  });
});
