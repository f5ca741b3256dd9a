// Keys take turns, and a key that the provider refuses costs the client nothing.  All SDKs run with their own retries off.

import assert from 'node:assert/strict';
import {describe, test} from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import {ApiError, GoogleGenAI} from '@google/genai';
import OpenAI from 'openai';

import {answerText} from './support/check.mjs';
import {ACCESS_KEY} from './support/gateway.mjs';
import {drain, failure, useServers} from './support/suite.mjs';

const user = content => [{role: 'user', content}];

// For each SDK: how to make a client, ask for an answer and for a stream (both give the text), and how it says "429".
const SDKS = [
  {
    name: 'openai', format: 'openai_compatible', path: '/openai/v1', limited: OpenAI.RateLimitError,
    client: base => new OpenAI({baseURL: `${base}/v1`, apiKey: ACCESS_KEY, maxRetries: 0, logLevel: 'off'}),
    ask: async (client, text) =>
      (await client.chat.completions.create({model: 'm', messages: user(text)})).choices[0].message.content,
    stream: async (client, text) => {
      const {events, error} = await drain(await client.chat.completions.create({model: 'm', messages: user(text), stream: true}));
      if (error) throw error;
      return events.map(c => c.choices[0].delta.content ?? '').join('');
    },
    body: error => ({error: error.error}),
    error: {error: {message: 'refused', type: 'requests', param: null, code: 'x'}},
  },
  {
    name: 'anthropic', format: 'anthropic_native', path: '/anthropic', limited: Anthropic.RateLimitError,
    client: base => new Anthropic({baseURL: base, apiKey: ACCESS_KEY, maxRetries: 0, logLevel: 'off'}),
    ask: async (client, text) =>
      (await client.messages.create({model: 'm', max_tokens: 9, messages: user(text)})).content[0].text,
    stream: async (client, text) =>
      (await client.messages.stream({model: 'm', max_tokens: 9, messages: user(text)}).finalMessage()).content[0].text,
    body: error => error.error,
    error: {type: 'error', error: {type: 'rate_limit_error', message: 'refused'}},
  },
  {
    name: 'gemini', format: 'gemini_native', path: '/gemini', limited: ApiError,
    client: base => new GoogleGenAI({apiKey: ACCESS_KEY, httpOptions: {baseUrl: base}}),
    ask: async (client, text) => (await client.models.generateContent({model: 'm', contents: text})).text,
    stream: async (client, text) => {
      const {events, error} = await drain(await client.models.generateContentStream({model: 'm', contents: text}));
      if (error) throw error;
      return events.map(e => e.text).join('');
    },
    body: error => JSON.parse(error.message),
    error: {error: {code: 429, message: 'refused', status: 'RESOURCE_EXHAUSTED'}},
  },
];

for (const sdk of SDKS) {
  describe(`rotation with ${sdk.name}`, {concurrency: true}, () => {
    const servers = useServers();

    async function start(keyCount) {
      const {base, keys} = await servers.add(sdk.format, sdk.path, {keys: keyCount});
      const counts = () => keys.map(key => servers.provider.with(key).length);
      return {client: sdk.client(base), keys, counts};
    }

    function assertEven(counts, total) {
      assert.equal(counts.reduce((a, b) => a + b), total);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `even: ${counts}`);
    }

    test('requests one after the other take turns', async () => {
      const {client, keys, counts} = await start(4);
      for (let i = 0; i < 20; ++i) assert.equal(await sdk.ask(client, `q${i}`), answerText(`q${i}`));
      assertEven(counts(), 20);
      const order = servers.provider.with(...keys).map(request => request.key);
      for (let i = 4; i < order.length; ++i) assert.equal(order[i], order[i - 4], 'the same order in each round');
    });

    test('60 requests and streams at once are spread evenly', async () => {
      const {client, counts} = await start(5);
      await Promise.all(Array.from({length: 60}, async (_, i) => {
        const call = i % 2 ? sdk.ask : sdk.stream;
        assert.equal(await call(client, `q${i}`), answerText(`q${i}`));
      }));
      assertEven(counts(), 60);
    });

    for (const status of [401, 403, 429]) {
      test(`a key that gets ${status} is replaced before the client notices`, async () => {
        const {client, keys, counts} = await start(3);
        servers.provider.script(keys[1], {status, headers: {'retry-after': '60'}, body: sdk.error});
        for (let i = 0; i < 12; ++i) {
          const call = i % 2 ? sdk.ask : sdk.stream;
          assert.equal(await call(client, `q${i}`), answerText(`q${i}`));
        }
        const [first, bad, last] = counts();
        assert.equal(first + last, 12, 'every request ended on a good key');
        assert.ok(bad >= 1, 'the bad key had its turn');
        if (status === 429) assert.equal(bad, 1, 'and was put aside for the time the provider named');
      });
    }

    test('three attempts with three keys, then the answer of the provider', async () => {
      const {client, keys, counts} = await start(4);
      for (const key of keys) servers.provider.script(key, {status: 429, body: sdk.error});
      const error = await failure(sdk.ask(client, 'x'), sdk.limited);
      assert.equal(error.status, 429);
      assert.deepEqual(sdk.body(error), sdk.error);
      assert.deepEqual(counts().sort(), [0, 1, 1, 1], 'three attempts with three keys');
    });

    test('400 is the fault of the request: no retry', async () => {
      const {client, keys, counts} = await start(3);
      for (const key of keys) servers.provider.script(key, {status: 400, body: sdk.error});
      assert.equal((await sdk.ask(client, 'x').catch(e => e)).status, 400);
      assert.deepEqual(counts().sort(), [0, 0, 1]);
    });

    for (const status of [500, 503]) {
      test(`${status} is tried again, then arrives unchanged, and blames no key`, async () => {
        const {client, keys, counts} = await start(4);
        for (const key of keys) servers.provider.script(key, {status, body: sdk.error});
        assert.equal((await sdk.ask(client, 'x').catch(e => e)).status, status);
        assert.deepEqual(counts().sort(), [0, 1, 1, 1]);
        for (const key of keys) servers.provider.script(key, null);
        for (let i = 0; i < 4; ++i) assert.equal(await sdk.ask(client, `q${i}`), answerText(`q${i}`));
      });
    }

    test('a request body of 2 MiB survives the retry', async () => {
      const {client, keys} = await start(2);
      servers.provider.script(keys[0], {status: 429, headers: {'retry-after': '60'}, body: sdk.error});
      const text = 'ä'.repeat(1 << 20);
      for (let i = 0; i < 2; ++i) await sdk.ask(client, text);
      const requests = servers.provider.with(...keys);
      assert.equal(requests.length, 3, 'one of them twice');
      for (const request of requests) assert.ok(request.body.equals(requests[0].body), 'the same bytes each time');
    });
  });
}
