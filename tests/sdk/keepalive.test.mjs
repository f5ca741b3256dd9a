// What the gateway sends while a provider is silent, read by the SDKs: nothing of it may reach their users.

import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {describe, test} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import {GoogleGenAI} from '@google/genai';
import OpenAI from 'openai';

import {pieces} from './support/check.mjs';
import {ACCESS_KEY} from './support/gateway.mjs';
import {drain, useServers} from './support/suite.mjs';

const KEEPALIVE_MS = 4_000;
const SILENCE_MS = 20_000;  // all tests are silent at the same time
const PYTHON = process.env.AKR_PYTHON;
const SCRIPT = fileURLToPath(new URL('python/stream.py', import.meta.url));

// Before the second event.
const silent = {beforeFrame: i => (i === 1 ? sleep(SILENCE_MS) : undefined)};

// A fetch that keeps what came, so that a test can tell whether there was a keep-alive to stumble over.
function listeningFetch() {
  let text = '';
  const listen = async (url, options) => {
    const answer = await fetch(url, options);
    const [ours, theirs] = answer.body.tee();
    const reading = (async () => {
      for await (const part of ours.pipeThrough(new TextDecoderStream())) text += part;
    })();
    reading.catch(() => {});
    return new Response(theirs, answer);
  };
  return {fetch: listen, text: () => text};
}

describe('keep-alive', {concurrency: true}, () => {
  const servers = useServers({SSE_KEEPALIVE: `${KEEPALIVE_MS}ms`});

  async function start(format, path) {
    const service = await servers.add(format, path);
    servers.provider.script(service.keys[0], silent);
    return {service, ...listeningFetch()};
  }

  test('openai chat', async () => {
    const {service, fetch, text} = await start('openai_compatible', '/openai/v1');
    const client = new OpenAI({apiKey: ACCESS_KEY, baseURL: `${service.base}/v1`, fetch});
    const stream = await client.chat.completions.create({
      model: 'gpt-a', stream: true, messages: [{role: 'user', content: 'quiet'}],
    });
    const {events, error} = await drain(stream);
    assert.ifError(error);
    assert.equal(events.map(c => c.choices[0]?.delta.content ?? '').join(''), pieces('quiet').join(''));
    assert.match(text(), /\n\n: keepalive\n: keepalive\n/);
    assert.doesNotMatch(text(), /: keepalive\n\n/);
  });

  test('openai responses', async () => {
    const {service, fetch, text} = await start('openai_compatible', '/openai/v1');
    const client = new OpenAI({apiKey: ACCESS_KEY, baseURL: `${service.base}/v1`, fetch});
    const {events, error} = await drain(await client.responses.create({model: 'gpt-a', stream: true, input: 'quiet'}));
    assert.ifError(error);
    const deltas = events.filter(e => e.type === 'response.output_text.delta').map(e => e.delta);
    assert.equal(deltas.join(''), pieces('quiet').join(''));
    assert.match(text(), /: keepalive\n/);
  });

  for (const [name, SDK] of [['anthropic 1', Anthropic], ['anthropic 0', Anthropic0]]) {
    test(name, async () => {
      const {service, fetch, text} = await start('anthropic_native', '/anthropic');
      const client = new SDK({apiKey: ACCESS_KEY, baseURL: service.base, fetch});
      const stream = client.messages.stream({
        model: 'claude-a', max_tokens: 10, messages: [{role: 'user', content: 'quiet'}],
      });
      const message = await stream.finalMessage();
      assert.equal(message.content[0].text, pieces('quiet').join(''));
      assert.match(text(), /event: ping\ndata: \{"type": "ping"\}\n\n/);
    });
  }

  test('gemini', async () => {
    const {service, fetch, text} = await start('gemini_native', '/gemini');
    const client = new GoogleGenAI({apiKey: ACCESS_KEY, httpOptions: {baseUrl: service.base, fetch}});
    const {events, error} = await drain(
      await client.models.generateContentStream({model: 'gemini-a', contents: 'quiet'}));
    assert.ifError(error);
    assert.deepEqual(events.map(e => e.text), pieces('quiet'));
    assert.doesNotMatch(text(), /^(?!data: |\r?$)./m, 'nothing but answers');
  });

  // Which of them raised or lost the rest of an answer: google-genai on any line that is not an answer, openai on what
  // stands for an event without data once an event has had an id.
  const openai = ['openai_compatible', '/openai/v1'];
  const anthropic = ['anthropic_native', '/anthropic'];
  const gemini = ['gemini_native', '/gemini'];
  for (const [how, [format, path], more] of [
    ['openai', openai], ['openai', openai, {eventIds: true}], ['openai-async', openai, {eventIds: true}],
    ['openai-responses', openai, {eventIds: true}], ['anthropic', anthropic], ['anthropic-async', anthropic],
    ['gemini', gemini], ['gemini-async', gemini],
  ]) {
    const ids = more ? ', events with ids' : '';
    const skip = PYTHON ? false : 'no Python packages (see run.sh)';
    test(`Python: ${how}${ids}`, {skip}, async () => {
      const service = await servers.add(format, path);
      servers.provider.script(service.keys[0], {...silent, ...more});
      const {stdout} = await promisify(execFile)(PYTHON, [SCRIPT, how, service.base, ACCESS_KEY]);
      assert.equal(JSON.parse(stdout).join(''), pieces('quiet').join(''));
    });
  }
});
