// What an SDK made with one upstream key is reached with that key, or not at all.  All SDKs run with their own retries off.

import assert from 'node:assert/strict';
import {describe, test} from 'node:test';

import Anthropic, {toFile} from '@anthropic-ai/sdk';
import {createPartFromUri, GoogleGenAI} from '@google/genai';
import OpenAI from 'openai';

import {ACCESS_KEY} from './support/gateway.mjs';
import {drain, failure, useServers} from './support/suite.mjs';

const KEYS = 4;
const user = content => [{role: 'user', content}];

describe('pinned keys', {concurrency: true}, () => {
  const servers = useServers();

  // `keysFrom(n)`: the keys of all requests from the n-th on, each once.
  async function start(format, path) {
    const service = await servers.add(format, path, {keys: KEYS});
    const arrived = () => servers.provider.with(...service.keys);
    const keysFrom = n => [...new Set(arrived().slice(n).map(request => request.key))];
    return {...service, arrived, keysFrom};
  }

  async function openai() {
    const service = await start('openai_compatible', '/openai/v1');
    const client = new OpenAI({baseURL: `${service.base}/v1`, apiKey: ACCESS_KEY, maxRetries: 0, logLevel: 'off'});
    return {...service, client};
  }

  test('openai: a file, its batch and its content stay with one key', async () => {
    const {client, keysFrom} = await openai();
    const file = await client.files.create({file: await toFile(Buffer.from('{}\n'), 'in.jsonl'), purpose: 'batch'});
    const batch = await client.batches.create(
      {input_file_id: file.id, endpoint: '/v1/responses', completion_window: '24h'});
    assert.equal(batch.input_file_id, file.id);
    const finished = await client.batches.retrieve(batch.id);
    await client.files.content(finished.output_file_id);
    await client.files.content(file.id);
    assert.equal(keysFrom(0).length, 1);
  });

  test('openai: responses that continue one another stay with one key', async () => {
    const {client, keysFrom} = await openai();
    const first = await client.responses.create({model: 'm', input: 'one'});
    for (let i = 0; i < KEYS; ++i)
      await client.responses.create({model: 'm', input: 'two', previous_response_id: first.id});
    assert.equal(keysFrom(0).length, 1);
  });

  test('openai: so do those of a stream', async () => {
    const {client, keysFrom} = await openai();
    const {events, error} = await drain(await client.responses.create({model: 'm', input: 'one', stream: true}));
    assert.ifError(error);
    for (let i = 0; i < KEYS; ++i)
      await client.responses.create({model: 'm', input: 'two', previous_response_id: events[0].response.id});
    assert.equal(keysFrom(0).length, 1);
  });

  test('openai: a key that is refused is a 409, and no other key is asked', async () => {
    const {client, arrived} = await openai();
    const first = await client.responses.create({model: 'm', input: 'one'});
    const refused = {error: {message: 'Incorrect API key', type: 'invalid_request_error', code: 'invalid_api_key'}};
    servers.provider.script(arrived()[0].key, {status: 401, body: refused});
    const next = client.responses.create({model: 'm', input: 'two', previous_response_id: first.id});
    const error = await failure(next, OpenAI.ConflictError);
    assert.equal(error.code, 'pinned_key_unavailable');
    assert.equal(arrived().length, 2);
  });

  test('openai: what is not pinned takes turns', async () => {
    const {client, keysFrom} = await openai();
    for (let i = 0; i < KEYS; ++i) await client.chat.completions.create({model: 'm', messages: user('hello')});
    assert.equal(keysFrom(0).length, KEYS);
  });

  test('anthropic: a file stays with its key', async () => {
    const {base, keysFrom} = await start('anthropic_native', '/anthropic');
    const client = new Anthropic({baseURL: base, apiKey: ACCESS_KEY, maxRetries: 0, logLevel: 'off'});
    const file = await client.beta.files.upload({file: await toFile(Buffer.from('x'), 'a.pdf', {type: 'application/pdf'})});
    const content = [{type: 'document', source: {type: 'file', file_id: file.id}}, {type: 'text', text: 'hello'}];
    for (let i = 0; i < KEYS; ++i) await client.beta.messages.create({model: 'm', max_tokens: 9, messages: user(content)});
    await client.beta.files.download(file.id);
    assert.equal(keysFrom(0).length, 1);
  });

  test('gemini: a resumable upload and its use stay with one key', async () => {
    const {base, keysFrom, arrived} = await start('gemini_native', '/gemini');
    const client = new GoogleGenAI({apiKey: ACCESS_KEY, httpOptions: {baseUrl: base}});
    const file = await client.files.upload({file: new Blob([Buffer.alloc(1000, 7)]), config: {mimeType: 'video/mp4'}});
    assert.equal(arrived().length, 2);
    const contents = [{role: 'user', parts: [createPartFromUri(file.uri, file.mimeType), {text: 'what is it?'}]}];
    for (let i = 0; i < KEYS; ++i) await client.models.generateContent({model: 'gemini-a', contents});
    assert.equal(keysFrom(0).length, 1);
  });
});
