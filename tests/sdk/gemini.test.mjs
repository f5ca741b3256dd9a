// The `@google/genai` package.  It calls v1 by default and v1beta if told so; both must work.

import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {describe, test} from 'node:test';

import {ApiError, GoogleGenAI} from '@google/genai';

import {answerText, pieces, TOOL_ARGUMENTS} from './support/check.mjs';
import {ACCESS_KEY} from './support/gateway.mjs';
import {
  closesWithinASecond, deadUrl, drain, failure, hangAt, lockStep, recordingFetch, useServers,
} from './support/suite.mjs';

const TOOLS = [{functionDeclarations: [{name: 'weather', parametersJsonSchema: {type: 'object', properties: {city: {}}}}]}];
const ask = (contents, config) => ({model: 'gemini-a', contents, config});

describe('gemini', {concurrency: true}, () => {
  const servers = useServers();

  async function start({keys, apiKey = ACCESS_KEY, baseUrl, ...httpOptions} = {}) {
    const service = await servers.add('gemini_native', '/gemini', {keys});
    const {fetch, sent} = recordingFetch();
    const client = new GoogleGenAI({apiKey, httpOptions: {baseUrl: baseUrl ?? service.base, fetch, ...httpOptions}});
    const arrived = () => servers.provider.with(...service.keys);
    return {client, sent, arrived, service, key: service.keys[0]};
  }

  for (const apiVersion of ['v1', 'v1beta']) {
    test(`answer with ${apiVersion}, request is byte-identical`, async () => {
      const {client, sent, arrived} = await start({apiVersion});
      const answer = await client.models.generateContent(ask('hello "é"', {temperature: 0.5}));
      assert.equal(answer.text, answerText('hello "é"'));
      assert.equal(answer.usageMetadata.totalTokenCount, 12);
      assert.equal(arrived()[0].body.toString(), sent[0]);
      assert.equal(arrived()[0].target, `/gemini/${apiVersion}/models/gemini-a:generateContent`);
    });
  }

  test('a base URL that ends in a slash', async () => {
    const {service} = await start();
    const client = new GoogleGenAI({apiKey: ACCESS_KEY, httpOptions: {baseUrl: `${service.base}/`}});
    assert.equal((await client.models.generateContent(ask('slash'))).text, answerText('slash'));
  });

  test('stream arrives event by event', async () => {
    const {client, key, arrived} = await start();
    const lock = lockStep();
    servers.provider.script(key, lock.script);
    const {events, error} = await drain(await client.models.generateContentStream(ask('live')), lock.saw);
    assert.ifError(error);
    assert.deepEqual(events.map(e => e.text), pieces('live'));
    assert.match(arrived()[0].target, /:streamGenerateContent\?alt=sse$/);
  });

  test('stream in single bytes gives the same text', async () => {
    const {client, key} = await start();
    servers.provider.script(key, {byteWise: true});
    const {events, error} = await drain(await client.models.generateContentStream(ask('bytes')));
    assert.ifError(error);
    assert.equal(events.map(e => e.text).join(''), answerText('bytes'));
  });

  test('tool call in an answer and in a stream', async () => {
    const {client} = await start();
    const answer = await client.models.generateContent(ask('tool', {tools: TOOLS}));
    const {events} = await drain(await client.models.generateContentStream(ask('tool', {tools: TOOLS})));
    for (const got of [answer, events[0]]) {
      assert.deepEqual(got.functionCalls, [{id: 'fc-1', name: 'weather', args: TOOL_ARGUMENTS}]);
      assert.equal(got.candidates[0].content.parts[0].thoughtSignature, 'c2lnbmF0dXJl');
    }
  });

  test('image data arrives byte for byte', async () => {
    const {client, sent, arrived} = await start();
    const image = randomBytes(100_000);
    const part = {inlineData: {mimeType: 'image/png', data: image.toString('base64')}};
    await client.models.generateContent(ask([{role: 'user', parts: [part, {text: 'what?'}]}]));
    assert.ok(Buffer.from(arrived()[0].json().contents[0].parts[0].inlineData.data, 'base64').equals(image));
    assert.equal(arrived()[0].body.toString(), sent[0]);
  });

  test('embeddings, token count, model list, one model', async () => {
    const {client} = await start();
    const {embeddings} = await client.models.embedContent({model: 'gemini-embedding-001', contents: ['a', 'b']});
    assert.deepEqual(embeddings.map(e => e.values), [[0.25, -1.5, 0], [0.25, -1.5, 1]]);
    assert.equal((await client.models.countTokens(ask('x'))).totalTokens, 2095);
    const {events} = await drain(await client.models.list({config: {pageSize: 10}}));
    assert.deepEqual(events.map(m => m.name), ['models/gemini-a', 'models/gemini-b']);
    assert.equal((await client.models.get({model: 'gemini-b'})).name, 'models/gemini-b');
  });

  test('file upload: the start of the resumable protocol, and the bytes through the service', async () => {
    const {service, arrived} = await start();
    const content = randomBytes(300_000);
    const headers = {'x-goog-api-key': ACCESS_KEY, 'x-goog-upload-protocol': 'resumable'};
    const begun = await fetch(`${service.base}/upload/v1beta/files`, {
      method: 'POST',
      headers: {
        ...headers, 'content-type': 'application/json', 'x-goog-upload-command': 'start',
        'x-goog-upload-header-content-length': `${content.length}`, 'x-goog-upload-header-content-type': 'video/mp4',
      },
      body: JSON.stringify({file: {displayName: 'film'}}),
    });
    assert.equal(begun.status, 200);
    assert.equal(begun.headers.get('x-goog-upload-status'), 'active');
    const {search} = new URL(begun.headers.get('x-goog-upload-url'));
    const ended = await fetch(`${service.base}/upload/v1beta/files${search}`, {
      method: 'POST', headers: {...headers, 'x-goog-upload-command': 'upload, finalize', 'x-goog-upload-offset': '0'},
      body: content,
    });
    assert.equal(ended.status, 200);
    assert.equal(ended.headers.get('x-goog-upload-status'), 'final');
    assert.equal((await ended.json()).file.sha256Hash, createHash('sha256').update(content).digest('base64'));
    assert.ok(arrived()[1].body.equals(content));
  });

  // The SDK sends the bytes to the path and query of the provider's x-goog-upload-url at the host of its base URL, so the
  // gateway has to put the path of the service in front.
  test('file upload by the SDK', async () => {
    const {client, arrived} = await start();
    const content = randomBytes(300_000);
    const file = await client.files.upload({
      file: new Blob([content], {type: 'video/mp4'}), config: {displayName: 'film'},
    });
    assert.deepEqual([file.name, file.displayName, file.mimeType, file.sizeBytes],
                     ['files/abc', 'film', 'video/mp4', '300000']);
    assert.ok(arrived()[1].body.equals(content));
  });

  test('request of 2 MiB', async () => {
    const {client, sent, arrived} = await start();
    await client.models.generateContent(ask('äb"\\\n'.repeat(400_000)));
    assert.ok(arrived()[0].body.length > 2 * 1024 * 1024);
    assert.ok(arrived()[0].body.toString() === sent[0], 'same bytes');
  });

  test('20 streams at once stay apart', async () => {
    const {client} = await start({keys: 3});
    await Promise.all(Array.from({length: 20}, async (_, i) => {
      const name = `stream-${i} [n=60]`;
      const {events, error} = await drain(await client.models.generateContentStream(ask(name)));
      assert.ifError(error);
      assert.deepEqual(events.map(e => e.text), pieces(name, 60));
    }));
  });

  test('abort ends the request at the provider', async () => {
    const {client, key, arrived} = await start();
    servers.provider.script(key, hangAt(3));
    const controller = new AbortController();
    const stream = await client.models.generateContentStream(ask('x', {abortSignal: controller.signal}));
    for (let i = 0; i < 3; ++i) await stream.next();
    controller.abort();
    await drain(stream);
    await closesWithinASecond(arrived()[0]);
  });

  test('a broken stream is an error, not an end', async () => {
    const {client, key} = await start();
    const lock = lockStep();
    servers.provider.script(key, {cutAfter: 4, ...lock.script});
    const {events, error} = await drain(await client.models.generateContentStream(ask('cut')), lock.saw);
    assert.equal(events.length, 4);
    assert.ok(error instanceof ApiError, `the SDK throws an ApiError: ${error?.stack}`);
  });

  for (const [status, name] of [[400, 'INVALID_ARGUMENT'], [404, 'NOT_FOUND'], [429, 'RESOURCE_EXHAUSTED'], [500, 'INTERNAL']]) {
    test(`the provider's ${status} arrives unchanged`, async () => {
      const {client, key, arrived} = await start();
      const body = {error: {code: status, message: `no: ${status}`, status: name, details: [{'@type': 'x/y', n: 1}]}};
      servers.provider.script(key, {status, body});
      const plain = await failure(client.models.generateContent(ask('x')), ApiError);
      assert.equal(plain.status, status);
      assert.deepEqual(JSON.parse(plain.message), body);
      assert.equal(arrived().length, 1);
      if (status === 429) return;  // another request may find the only key put aside
      const streamed = await failure(client.models.generateContentStream(ask('x')), ApiError);
      assert.deepEqual(JSON.parse(streamed.message), body);
    });
  }

  function assertOurs(error, status, name) {
    assert.equal(error.status, status);
    const body = JSON.parse(error.message);
    assert.equal(body.error.code, status, error.message);
    assert.equal(body.error.status, name);
    assert.ok(typeof body.error.message === 'string' && body.error.message.length > 8);
    assert.ok(!body.error.message.startsWith('{'), 'an error of ours in the dialect, not one wrapped by the SDK');
  }

  test('wrong access key', async () => {
    const {client, arrived} = await start({apiKey: 'sk-wrong'});
    assertOurs(await failure(client.models.generateContent(ask('x')), ApiError), 401, 'UNAUTHENTICATED');
    assertOurs(await failure(client.models.generateContentStream(ask('x')), ApiError), 401, 'UNAUTHENTICATED');
    assertOurs(await failure(client.models.list(), ApiError), 401, 'UNAUTHENTICATED');
    assert.equal(arrived().length, 0);
  });

  test('unknown service', async () => {
    const {client} = await start({baseUrl: `${servers.gateway.url}/llm/nothing-here`});
    assertOurs(await failure(client.models.generateContent(ask('x')), ApiError), 404, 'NOT_FOUND');
  });

  test('service without keys', async () => {
    const {client} = await start({keys: 0});
    assertOurs(await failure(client.models.generateContent(ask('x')), ApiError), 503, 'UNAVAILABLE');
    assertOurs(await failure(client.models.generateContentStream(ask('x')), ApiError), 503, 'UNAVAILABLE');
  });

  test('all keys refused by the provider', async () => {
    const {client, service} = await start({keys: 2});
    const body = {error: {code: 403, message: 'denied', status: 'PERMISSION_DENIED'}};
    for (const key of service.keys) servers.provider.script(key, {status: 403, body});
    const error = await failure(client.models.generateContent(ask('x')), ApiError);
    assertOurs(error, 502, JSON.parse(error.message).error.status);
  });

  test('provider that is not there', async () => {
    const service = await servers.gateway.addLlm('gemini_native', await deadUrl(), {keys: 2});
    const {client} = await start({baseUrl: service.base});
    const error = await failure(client.models.generateContent(ask('x')), ApiError);
    assertOurs(error, error.status, JSON.parse(error.message).error.status);
    assert.ok(error.status >= 500);
  });
});
