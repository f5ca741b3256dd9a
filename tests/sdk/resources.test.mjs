// What providers make can only be reached with the key that made it, and new kinds of things came with new versions of
// the SDKs and were not pinned: agents, vaults, memory stores, tunnels.  So every POST of the SDKs, as their own files
// have it, is sent through the gateway: what its answer names is asked for with the same key, or it stands below with the
// reason why nothing of it belongs to a key.

import assert from 'node:assert/strict';
import {createServer} from 'node:http';
import {after, before, describe, test} from 'node:test';

import {ACCESS_KEY, startGateway} from './support/gateway.mjs';
import {sdkPosts} from './support/sdk_endpoints.mjs';

const KEYS = 4;
// With what makes a chat completion or a message leave something behind.
const BODY = JSON.stringify({model: 'm', store: true, container: 'new'});

const AT_ONCE = 'answers with what was asked for; nothing is kept';
const VERTEX = 'Vertex AI only, which takes no API keys';

const FREE = {
  openai: {
    '/v1/audio/speech': AT_ONCE,
    '/v1/audio/transcriptions': AT_ONCE,
    '/v1/audio/translations': AT_ONCE,
    '/v1/completions': AT_ONCE,
    '/v1/content_provenance_checks': AT_ONCE,
    '/v1/decisions': AT_ONCE,
    '/v1/embeddings': AT_ONCE,
    '/v1/images/edits': AT_ONCE,
    '/v1/images/generations': AT_ONCE,
    '/v1/images/variations': AT_ONCE,
    '/v1/moderations': AT_ONCE,
  },
  anthropic: {
    '/v1/messages/count_tokens': AT_ONCE,
  },
  google: {
    '/v1beta/auth_tokens': 'is a credential, by which clients reach the provider past us',
    '/v1beta/batchPredictionJobs': VERTEX,
    '/v1beta/batchPredictionJobs/things/x:cancel': VERTEX,
    '/v1beta/models/m:batchEmbedContents': AT_ONCE,
    '/v1beta/models/m:computeTokens': VERTEX,
    '/v1beta/models/m:countTokens': AT_ONCE,
    '/v1beta/models/m:generateContent': AT_ONCE,
    '/v1beta/models/m:predict': AT_ONCE,
    '/v1beta/models/m:streamGenerateContent': AT_ONCE,
    '/v1beta/things/x/tuningJobs:validateReinforcementTuningReward': VERTEX,
    '/v1beta/things/x:cancel': 'ends what exists',
    '/v1beta/things/x:fetchPredictOperation': VERTEX,
    '/v1beta/tuningJobs': VERTEX,
  },
};

// Answers every POST with a new thing, under the names that the three providers use.
class Provider {
  #made = 0;
  #server = createServer((request, answer) => {
    this.lastKey = request.headers['x-goog-api-key'] ?? request.headers['x-api-key'] ?? request.headers.authorization;
    const id = `made-${request.method === 'POST' ? ++this.#made : 0}`;
    request.resume().on('end', () => {
      answer.writeHead(200, {'content-type': 'application/json'});
      answer.end(JSON.stringify({id, name: `things/${id}`, container: {id}}));
    });
  });
  get lastMade() {
    return `made-${this.#made}`;
  }
  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }
  start = () => new Promise(resolve => this.#server.listen(0, '127.0.0.1', resolve));
  stop() {
    this.#server.closeAllConnections();
    return new Promise(resolve => this.#server.close(resolve));
  }
}

describe('everything that the SDKs can make', () => {
  const provider = new Provider();
  let gateway;
  before(async () => {
    await provider.start();
    gateway = await startGateway();
  });
  after(async () => {
    await gateway?.stop();
    await provider.stop();
  });

  async function ask(method, url, credential) {
    const headers = {[credential]: credential === 'authorization' ? `Bearer ${ACCESS_KEY}` : ACCESS_KEY};
    if (method === 'POST') headers['content-type'] = 'application/json';
    const answer = await fetch(url, {method, headers, body: method === 'POST' ? BODY : undefined});
    assert.equal(answer.status, 200, `${method} ${url}: ${await answer.text()}`);
    await answer.arrayBuffer().catch(() => {});
    return provider.lastKey;
  }

  // The paths whose things are not asked for with the key that made them.
  async function unpinned(format, credential, paths) {
    const {base} = await gateway.addLlm(format, provider.url, {keys: KEYS});
    const free = [];
    for (const path of paths) {
      const keys = new Set([await ask('POST', base + path, credential)]);
      const thing = `${base}/v1beta/things/${provider.lastMade}`;
      for (let i = 0; i < KEYS; ++i) keys.add(await ask('GET', thing, credential));
      if (keys.size > 1) free.push(path);
    }
    return free;
  }

  for (const [sdk, format, credential, least] of [
    ['openai', 'openai_compatible', 'authorization', 100],
    ['anthropic', 'anthropic_native', 'x-api-key', 80],
    ['google', 'gemini_native', 'x-goog-api-key', 25],
  ]) {
    test(`${sdk}: is pinned to the key that made it, or is known not to be`, async () => {
      const paths = sdkPosts[sdk]();
      assert.ok(paths.length >= least, `only ${paths.length} endpoints were found: the SDK writes them in another way`);
      assert.deepEqual(await unpinned(format, credential, paths), Object.keys(FREE[sdk]).sort());
    });
  }
});
