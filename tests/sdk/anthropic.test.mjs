// The `@anthropic-ai/sdk` package, both generations: 1.x sends the access key as a Bearer token, 0.x as x-api-key.

import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {describe, test} from 'node:test';

import Anthropic, {toFile} from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';

import {anthropicFileContent} from './support/anthropic_api.mjs';
import {answerText, pieces, TOOL_ARGUMENTS} from './support/check.mjs';
import {ACCESS_KEY} from './support/gateway.mjs';
import {
  closesWithinASecond, deadUrl, drain, failure, hangAt, lockStep, recordingFetch, useServers,
} from './support/suite.mjs';

const TOOLS = [{name: 'weather', input_schema: {type: 'object', properties: {city: {type: 'string'}}}}];
const ask = (content, more) => ({model: 'claude-a', max_tokens: 64, messages: [{role: 'user', content}], ...more});

describe('anthropic', {concurrency: true}, () => {
  const servers = useServers();

  async function start({keys, Sdk = Anthropic, ...options} = {}) {
    const service = await servers.add('anthropic_native', '/anthropic', {keys});
    const {fetch, sent} = recordingFetch();
    const client = new Sdk({
      baseURL: service.base, apiKey: ACCESS_KEY, maxRetries: 0, fetch, logLevel: 'off', ...options,
    });
    const arrived = () => servers.provider.with(...service.keys);
    return {client, sent, arrived, service, key: service.keys[0]};
  }

  for (const [name, Sdk, version] of [['1.x', Anthropic, '2026-10-21'], ['0.x', Anthropic0, '2023-06-01']]) {
    test(`message with SDK ${name}: byte-identical, its API version stays`, async () => {
      const {client, sent, arrived} = await start({Sdk});
      const {data, response} = await client.messages.create(ask('hello "é"')).withResponse();
      assert.equal(data.content[0].text, answerText('hello "é"'));
      assert.equal(response.headers.get('request-id'), 'req_message');
      assert.equal(response.headers.get('anthropic-ratelimit-requests-remaining'), '41');
      assert.equal(arrived()[0].body.toString(), sent[0]);
      assert.equal(arrived()[0].headers['anthropic-version'], version);
    });
  }

  test('a client without an API version gets 2023-06-01', async () => {
    const {service, arrived} = await start();
    const response = await fetch(`${service.base}/v1/messages`, {
      method: 'POST', headers: {'x-api-key': ACCESS_KEY, 'content-type': 'application/json'}, body: JSON.stringify(ask('x')),
    });
    assert.equal(response.status, 200);
    assert.equal((await response.json()).content[0].text, answerText('x'));
    assert.equal(arrived()[0].headers['anthropic-version'], '2023-06-01');
  });

  for (const [name, Sdk] of [['1.x', Anthropic], ['0.x', Anthropic0]]) {
    test(`stream with SDK ${name} arrives event by event`, async () => {
      const {client, key} = await start({Sdk});
      const lock = lockStep();
      servers.provider.script(key, lock.script);
      const {events, error} = await drain(await client.messages.create(ask('live', {stream: true})), lock.saw);
      assert.ifError(error);
      assert.deepEqual(events.map(e => e.type), [
        'message_start', 'content_block_start', ...pieces('live').map(() => 'content_block_delta'),
        'content_block_stop', 'message_delta', 'message_stop',
      ]);
      const texts = events.filter(e => e.type === 'content_block_delta').map(e => e.delta.text);
      assert.deepEqual(texts, pieces('live'));
    });
  }

  test('stream in single bytes gives the same message', async () => {
    const {client, key} = await start();
    servers.provider.script(key, {byteWise: true});
    const message = await client.messages.stream(ask('bytes')).finalMessage();
    assert.equal(message.content[0].text, answerText('bytes'));
    assert.equal(message.usage.output_tokens, 7);
  });

  test('tool call in an answer and in a stream', async () => {
    const {client} = await start();
    for (const message of [
      await client.messages.create(ask('tool', {tools: TOOLS})),
      await client.messages.stream(ask('tool', {tools: TOOLS})).finalMessage(),
    ]) {
      assert.equal(message.stop_reason, 'tool_use');
      assert.equal(message.content[0].name, 'weather');
      assert.deepEqual(message.content[0].input, TOOL_ARGUMENTS);
    }
  });

  test('image data arrives byte for byte', async () => {
    const {client, sent, arrived} = await start();
    const image = randomBytes(100_000);
    const source = {type: 'base64', media_type: 'image/png', data: image.toString('base64')};
    await client.messages.create(ask([{type: 'image', source}, {type: 'text', text: 'what?'}]));
    const got = arrived()[0].json().messages[0].content[0].source.data;
    assert.ok(Buffer.from(got, 'base64').equals(image));
    assert.equal(arrived()[0].body.toString(), sent[0]);
  });

  test('beta messages: the beta names arrive', async () => {
    const {client, arrived} = await start();
    const message = await client.beta.messages.create(ask('beta', {betas: ['one-2026-01-01', 'two-2026-01-01']}));
    assert.equal(message.content[0].text, answerText('beta'));
    assert.equal(arrived()[0].headers['anthropic-beta'].replaceAll(' ', ''), 'one-2026-01-01,two-2026-01-01');
  });

  for (const [name, Sdk] of [['1.x', Anthropic], ['0.x', Anthropic0]]) {
    test(`beta files with SDK ${name}: upload, content, delete`, async () => {
      const {client, arrived} = await start({Sdk});
      const content = randomBytes(300_000);
      const file = await client.beta.files.upload({file: await toFile(content, 'dätä.pdf', {type: 'application/pdf'})});
      assert.deepEqual([file.id, file.size_bytes, file.mime_type], ['file_1', 300_000, 'application/pdf']);
      const form = await arrived()[0].form();
      assert.equal(form.get('file').name, 'dätä.pdf');
      assert.ok(Buffer.from(await form.get('file').arrayBuffer()).equals(content));
      const download = await client.beta.files.download('file_1');
      assert.ok(Buffer.from(await download.arrayBuffer()).equals(anthropicFileContent));
      assert.equal((await client.beta.files.delete('file_1')).type, 'file_deleted');
    });
  }

  test('token count, model list, one model', async () => {
    const {client} = await start();
    const {max_tokens: _, ...count} = ask('x');
    assert.equal((await client.messages.countTokens(count)).input_tokens, 2095);
    const {events} = await drain(client.models.list({limit: 10}));
    assert.deepEqual(events.map(m => m.id), ['claude-a', 'claude-b']);
    assert.equal((await client.models.retrieve('claude-b')).id, 'claude-b');
  });

  test('request of 2 MiB', async () => {
    const {client, sent, arrived} = await start();
    await client.messages.create(ask('äb"\\\n'.repeat(400_000)));
    assert.ok(arrived()[0].body.length > 2 * 1024 * 1024);
    assert.ok(arrived()[0].body.toString() === sent[0], 'same bytes');
  });

  test('20 streams at once stay apart', async () => {
    const {client} = await start({keys: 3});
    await Promise.all(Array.from({length: 20}, async (_, i) => {
      const name = `stream-${i} [n=60]`;
      const message = await client.messages.stream(ask(name)).finalMessage();
      assert.equal(message.content[0].text, pieces(name, 60).join(''));
    }));
  });

  test('abort ends the request at the provider', async () => {
    const {client, key, arrived} = await start();
    servers.provider.script(key, hangAt(4));
    const stream = await client.messages.create(ask('x', {stream: true}));
    let seen = 0;
    for await (const _ of stream) {
      if (++seen < 4) continue;
      stream.controller.abort();
    }
    await closesWithinASecond(arrived()[0]);
  });

  test('a broken stream is an error, not an end', async () => {
    const {client, key} = await start();
    const lock = lockStep();
    servers.provider.script(key, {cutAfter: 4, ...lock.script});
    const {events, error} = await drain(await client.messages.create(ask('cut', {stream: true})), lock.saw);
    assert.equal(events.length, 4);
    assert.ok(error instanceof Anthropic.APIError, `the SDK throws: ${error}`);
    assert.equal(error.error.type, 'error');
    assert.ok(error.error.error.message.length > 0);
  });

  const CLASSES = [
    [400, Anthropic.BadRequestError, 'invalid_request_error'], [404, Anthropic.NotFoundError, 'not_found_error'],
    [429, Anthropic.RateLimitError, 'rate_limit_error'], [500, Anthropic.InternalServerError, 'api_error'],
    [529, Anthropic.InternalServerError, 'overloaded_error'],
  ];
  for (const [status, errorClass, type] of CLASSES) {
    test(`the provider's ${status} arrives unchanged`, async () => {
      const {client, key, arrived} = await start();
      const body = {type: 'error', error: {type, message: `no: ${status}`}, request_id: 'req_body'};
      servers.provider.script(key, {status, headers: {'request-id': `req_${status}`, 'retry-after': '3'}, body});
      const thrown = await failure(client.messages.create(ask('x', {stream: status !== 500})), errorClass);
      assert.equal(thrown.status, status);
      assert.deepEqual(thrown.error, body);
      assert.equal(thrown.requestID, `req_${status}`);
      assert.equal(thrown.headers.get('retry-after'), '3');
      assert.equal(thrown.headers.get('x-rotator-error-source'), 'upstream');
      assert.equal(arrived().length, 1);
    });
  }

  function assertOurs(error, status, type) {
    assert.equal(error.status, status);
    assert.equal(error.error?.type, 'error', `body ${JSON.stringify(error.error)}`);
    assert.ok(error.error.error.message.length > 8);
    if (type) assert.equal(error.error.error.type, type);
    assert.equal(error.headers.get('x-rotator-error-source'), 'gateway');
    assert.ok(error.message.includes(error.error.error.message), 'the SDK shows our message');
  }

  for (const [name, Sdk] of [['1.x', Anthropic], ['0.x', Anthropic0]]) {
    test(`wrong access key with SDK ${name}`, async () => {
      const {client, arrived} = await start({Sdk, apiKey: 'sk-wrong'});
      const error = await failure(client.messages.create(ask('x')), Sdk.AuthenticationError);
      assertOurs(error, 401, 'authentication_error');
      assertOurs(await failure(client.models.list(), Sdk.AuthenticationError), 401, 'authentication_error');
      assert.equal(arrived().length, 0);
    });
  }

  test('unknown service', async () => {
    const {client} = await start({baseURL: `${servers.gateway.url}/llm/nothing-here`});
    assertOurs(await failure(client.messages.create(ask('x')), Anthropic.NotFoundError), 404, 'not_found_error');
  });

  test('service without keys', async () => {
    const {client} = await start({keys: 0});
    assertOurs(await failure(client.messages.create(ask('x')), Anthropic.InternalServerError), 503);
    assertOurs(await failure(client.messages.create(ask('x', {stream: true})), Anthropic.InternalServerError), 503);
  });

  test('all keys refused by the provider', async () => {
    const {client, service} = await start({keys: 2});
    const body = {type: 'error', error: {type: 'authentication_error', message: 'invalid x-api-key'}};
    for (const key of service.keys) servers.provider.script(key, {status: 401, body});
    assertOurs(await failure(client.messages.create(ask('x')), Anthropic.InternalServerError), 502);
  });

  test('provider that is not there', async () => {
    const service = await servers.gateway.addLlm('anthropic_native', await deadUrl(), {keys: 2});
    const {client} = await start({baseURL: service.base});
    const error = await failure(client.messages.create(ask('x')), Anthropic.InternalServerError);
    assertOurs(error, error.status);
  });
});
