// The `openai` package against an openai_compatible service.

import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {describe, test} from 'node:test';

import OpenAI from 'openai';

import {answerText, pieces, TOOL_ARGUMENTS, TOOL_FRAGMENTS} from './support/check.mjs';
import {ACCESS_KEY} from './support/gateway.mjs';
import {closesWithinASecond, drain, failure, hangAt, lockStep, recordingFetch, useServers} from './support/suite.mjs';

const TOOLS = [{type: 'function', function: {
  name: 'weather', description: 'd', parameters: {type: 'object', properties: {city: {type: 'string'}}},
}}];
const ask = (content, more) => ({model: 'm-1', messages: [{role: 'user', content}], ...more});

describe('openai', {concurrency: true}, () => {
  const servers = useServers();

  // A service of its own and a client for it.  sent: the JSON bodies as the SDK wrote them.
  async function start({keys, baseSuffix = '/v1', targetPath = '/openai/v1', ...options} = {}) {
    const service = await servers.add('openai_compatible', targetPath, {keys});
    const {fetch, sent} = recordingFetch();
    const client = new OpenAI({
      baseURL: service.base + baseSuffix, apiKey: ACCESS_KEY, maxRetries: 0, fetch, logLevel: 'off', ...options,
    });
    const arrived = () => servers.provider.with(...service.keys);
    return {client, sent, arrived, service, key: service.keys[0]};
  }

  describe('chat', {concurrency: true}, () => {
    test('answer and headers arrive, request is byte-identical', async () => {
      const {client, sent, arrived} = await start();
      const {data, response} = await client.chat.completions.create(ask('hello "é" \u2028')).withResponse();
      assert.equal(data.choices[0].message.content, answerText('hello "é" \u2028'));
      assert.deepEqual(data.usage, {prompt_tokens: 5, completion_tokens: 7, total_tokens: 12});
      assert.equal(response.headers.get('x-request-id'), 'req_chat');
      assert.equal(response.headers.get('x-ratelimit-remaining-requests'), '41');
      assert.equal(arrived()[0].body.toString(), sent[0]);
    });

    for (const [baseSuffix, targetPath] of [
      ['/v1', '/openai'], ['/v1', '/openai/v1'], ['', '/openai/v1'], ['/v1/', '/openai/v1/'],
    ]) {
      test(`client base "{service}${baseSuffix}", target "${targetPath}"`, async () => {
        const {client} = await start({baseSuffix, targetPath});
        const answer = await client.chat.completions.create(ask('base'));
        assert.equal(answer.choices[0].message.content, answerText('base'));
      });
    }

    test('stream arrives event by event, with usage', async () => {
      const {client, key} = await start();
      const lock = lockStep();
      servers.provider.script(key, lock.script);
      const stream = await client.chat.completions.create(
        ask('live', {stream: true, stream_options: {include_usage: true}}));
      const {events: chunks, error} = await drain(stream, lock.saw);
      assert.ifError(error);
      const texts = chunks.map(c => c.choices[0]?.delta.content ?? null);
      assert.deepEqual(texts, ['', ...pieces('live'), null, null]);
      assert.equal(chunks.at(-2).choices[0].finish_reason, 'stop');
      assert.deepEqual(chunks.at(-1).usage, {prompt_tokens: 5, completion_tokens: 7, total_tokens: 12});
    });

    test('stream in single bytes gives the same text', async () => {
      const {client, key} = await start();
      servers.provider.script(key, {byteWise: true});
      const {events, error} = await drain(await client.chat.completions.create(ask('bytes', {stream: true})));
      assert.ifError(error);
      assert.equal(events.map(c => c.choices[0].delta.content ?? '').join(''), answerText('bytes'));
    });

    test('tool call in an answer and in a stream', async () => {
      const {client} = await start();
      const answer = await client.chat.completions.create(ask('tool', {tools: TOOLS}));
      const [call] = answer.choices[0].message.tool_calls;
      assert.equal(call.function.name, 'weather');
      assert.deepEqual(JSON.parse(call.function.arguments), TOOL_ARGUMENTS);

      const stream = client.chat.completions.stream(ask('tool', {tools: TOOLS}));
      const {events} = await drain(stream);
      const fragments = events.flatMap(c => c.choices[0]?.delta.tool_calls ?? []).map(c => c.function.arguments);
      assert.deepEqual(fragments, ['', ...TOOL_FRAGMENTS]);
      const streamed = (await stream.finalChatCompletion()).choices[0].message.tool_calls[0];
      assert.deepEqual(JSON.parse(streamed.function.arguments), TOOL_ARGUMENTS);
    });

    test('image data arrives byte for byte', async () => {
      const {client, sent, arrived} = await start();
      const image = randomBytes(100_000);
      const url = `data:image/png;base64,${image.toString('base64')}`;
      await client.chat.completions.create(ask([{type: 'text', text: 'what?'}, {type: 'image_url', image_url: {url}}]));
      const got = arrived()[0].json().messages[0].content[1].image_url.url;
      assert.ok(Buffer.from(got.split(',')[1], 'base64').equals(image));
      assert.equal(arrived()[0].body.toString(), sent[0]);
    });

    test('request of 2 MiB', async () => {
      const {client, sent, arrived} = await start();
      const text = 'äb"\\\n'.repeat(400_000);
      const answer = await client.chat.completions.create(ask(text.slice(0, 2_000_000), {metadata: {n: 'big'}}));
      assert.ok(answer.choices[0].message.content.length > 2_000_000, 'an answer at least as long');
      assert.ok(arrived()[0].body.length > 2 * 1024 * 1024);
      assert.ok(arrived()[0].body.toString() === sent[0], 'same bytes');
    });

    test('20 streams at once stay apart', async () => {
      const {client} = await start({keys: 3});
      const names = Array.from({length: 20}, (_, i) => `stream-${i} [n=60]`);
      await Promise.all(names.map(async name => {
        const {events, error} = await drain(await client.chat.completions.create(ask(name, {stream: true})));
        assert.ifError(error);
        assert.deepEqual(events.map(c => c.choices[0].delta.content ?? ''), ['', ...pieces(name, 60), '']);
      }));
    });

    test('abort ends the request at the provider', async () => {
      const {client, key, arrived} = await start();
      servers.provider.script(key, hangAt(3));
      const controller = new AbortController();
      const stream = await client.chat.completions.create(ask('x', {stream: true}), {signal: controller.signal});
      let seen = 0;
      await drain((async function* () {
        for await (const chunk of stream) {
          if (++seen === 3) {
            controller.abort();
          }
          yield chunk;
        }
      })());
      await closesWithinASecond(arrived()[0]);
      assert.equal(arrived()[0].framesSent, 3);
    });

    test('abort before the answer ends the request at the provider', async () => {
      const {client, key, arrived} = await start();
      servers.provider.script(key, {delayMs: 5_000});
      const controller = new AbortController();
      const call = client.chat.completions.create(ask('x'), {signal: controller.signal});
      const failed = failure(call, OpenAI.APIUserAbortError);
      while (arrived().length === 0) await new Promise(resolve => setTimeout(resolve, 10));
      controller.abort();
      await failed;
      await closesWithinASecond(arrived()[0]);
    });

    test('a broken stream is an error, not an end', async () => {
      const {client, key} = await start();
      const lock = lockStep();
      servers.provider.script(key, {cutAfter: 4, ...lock.script});
      const {events, error} = await drain(await client.chat.completions.create(ask('cut', {stream: true})), lock.saw);
      assert.equal(events.length, 4);
      assert.ok(error instanceof OpenAI.APIError, `the SDK throws: ${error}`);
      assert.equal(error.code, 'upstream_stream_interrupted');
    });

    test('a compressed answer can be read', async () => {
      const {client, key} = await start();
      servers.provider.script(key, {gzip: true});
      const answer = await client.chat.completions.create(ask('gzip'));
      assert.equal(answer.choices[0].message.content, answerText('gzip'));
    });

    test('account headers of the client stay here', async () => {
      const {client} = await start({organization: 'org-client', project: 'proj-client'});
      const answer = await client.chat.completions.create(ask('org'));
      assert.equal(answer.choices[0].message.content, answerText('org'));
    });
  });
});
