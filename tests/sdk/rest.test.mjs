// A GENERIC service with plain HTTP clients: the key in a header, the key in the query, and what must not pass.

import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {request as httpRequest} from 'node:http';
import {describe, test} from 'node:test';

import {ACCESS_KEY, OTHER_ACCESS_KEY} from './support/gateway.mjs';
import {manyBytes, sha256, tick} from './support/rest_api.mjs';
import {closesWithinASecond, deadUrl, drain, hangAt, lockStep, useServers} from './support/suite.mjs';

const CLIENT = {'x-proxy-key': ACCESS_KEY};

// A request as the bytes say, for headers that fetch refuses to send.  -> {status, headers, body}
function rawRequest(url, {method = 'GET', headers = {}, body} = {}) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {method, headers}, async response => {
      try {
        const parts = [];
        for await (const part of response) parts.push(part);
        resolve({status: response.statusCode, headers: response.headers, body: Buffer.concat(parts)});
      } catch (error) {
        reject(error);
      }
    });
    request.on('error', reject);
    request.end(body);
  });
}

describe('generic REST service', {concurrency: true}, () => {
  const servers = useServers();
  const headerService = (path = '/rest', options) => servers.addRest('header', 'X-Service-Token', path, options);
  const queryService = (path = '/rest', options) => servers.addRest('query', 'token', path, options);

  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    test(`${method} with the key in a header`, async () => {
      const {base, keys} = await headerService();
      const body = method === 'GET' ? undefined : randomBytes(5_000);
      const response = await fetch(`${base}/things/7?b=2&a=1`, {method, headers: CLIENT, body});
      assert.equal(response.status, 200);
      const got = await response.json();
      assert.equal(got.method, method);
      assert.deepEqual(got.query.sort(), [['a', '1'], ['b', '2']]);
      assert.equal(got.headers['x-service-token'], keys[0]);
      assert.equal(got.sha256, sha256(body ?? ''));
    });
  }

  test('HEAD', async () => {
    const {base} = await headerService();
    const response = await fetch(`${base}/bytes/1234`, {method: 'HEAD', headers: CLIENT});
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-length'), '1234');
    assert.equal(await response.text(), '');
  });

  test('the key in the query, next to those of the client and of the target', async () => {
    const {base, keys} = await queryService('/rest/search?fixed=1');
    const response = await fetch(`${base}?q=${encodeURIComponent('a b&c=ü')}&empty=`, {headers: CLIENT});
    assert.equal(response.status, 200);
    const query = Object.fromEntries((await response.json()).query);
    assert.deepEqual(query, {fixed: '1', q: 'a b&c=ü', empty: '', token: keys[0]});
  });

  test('a key with special characters in the query', async () => {
    const key = 'k&y=1+%/?#"[]x';
    const {base} = await queryService('/rest', {keys: [key]});
    const response = await fetch(`${base}/x`, {headers: CLIENT});
    assert.equal(response.status, 200);
    assert.deepEqual((await response.json()).query, [['token', key]]);
  });

  test('a client parameter with the name of the key is replaced', async () => {
    const {base, keys} = await queryService();
    const response = await fetch(`${base}/x?token=of-the-client&page=2`, {headers: CLIENT});
    assert.equal(response.status, 200);
    assert.deepEqual((await response.json()).query.sort(), [['page', '2'], ['token', keys[0]]]);
  });

  test('a client header with the name of the key is replaced', async () => {
    const {base, keys} = await headerService();
    const response = await fetch(`${base}/x`, {headers: {...CLIENT, 'X-Service-Token': 'of-the-client'}});
    assert.equal(response.status, 200);
    assert.equal((await response.json()).headers['x-service-token'], keys[0]);
  });

  test('the credentials, the identity and the hops of the client stay here', async () => {
    const {base} = await headerService();
    const {status, body} = await rawRequest(`${base}/x`, {headers: {
      ...CLIENT, cookie: 'session=1', 'x-forwarded-for': '10.0.0.1', 'x-forwarded-proto': 'https', forwarded: 'for=10.0.0.1',
      'x-real-ip': '10.0.0.1', 'cf-connecting-ip': '10.0.0.1', 'proxy-authorization': 'Basic eDp5',
      connection: 'keep-alive, x-named-in-connection', 'x-named-in-connection': '1', 'x-kept': 'yes', accept: 'text/x-test',
    }});
    assert.equal(status, 200, body.toString());
    const {headers} = JSON.parse(body);
    assert.equal(headers['x-kept'], 'yes');
    assert.equal(headers.accept, 'text/x-test');
  });

  test('two different access keys in one request are refused', async () => {
    const {base, keys} = await headerService();
    const response = await fetch(`${base}/x`, {headers: {...CLIENT, authorization: `Bearer ${OTHER_ACCESS_KEY}`}});
    assert.equal(response.status, 400);
    assert.equal(response.headers.get('x-rotator-error-source'), 'gateway');
    assert.equal(servers.provider.with(...keys).length, 0);
  });

  for (const [place, headers, query] of [
    ['X-Proxy-Key', {'x-proxy-key': ACCESS_KEY}, ''], ['Authorization', {authorization: `Bearer ${ACCESS_KEY}`}, ''],
    ['x-api-key', {'x-api-key': ACCESS_KEY}, ''], ['api-key', {'api-key': ACCESS_KEY}, ''],
    ['x-goog-api-key', {'x-goog-api-key': ACCESS_KEY}, ''], ['?key=', {}, `?key=${ACCESS_KEY}`],
  ]) {
    test(`access key in ${place}: every LLM format takes it and no provider sees it`, async () => {
      for (const [format, path, models] of [
        ['openai_compatible', '/openai/v1', 'v1/models'], ['anthropic_native', '/anthropic', 'v1/models'],
        ['gemini_native', '/gemini', 'v1beta/models'],
      ]) {
        const {base} = await servers.add(format, path);
        const response = await fetch(`${base}/${models}${query}`, {headers});
        assert.equal(response.status, 200, `${format}: ${await response.text()}`);
      }
    });
  }

  test('paths keep their escapes and double slashes', async () => {
    const {base} = await headerService();
    for (const path of ['/a%2Fb/c', '/a//b', '/%C3%A9%20x', '/trailing/', '/semi;colon@at:x']) {
      const {status, body} = await rawRequest(base + path, {headers: CLIENT});
      assert.equal(status, 200, body.toString());
      assert.equal(JSON.parse(body).target, `/rest${path}`);
    }
  });

  for (const status of [201, 204, 400, 404, 409, 500, 503]) {
    test(`status ${status} arrives unchanged`, async () => {
      const {base, keys} = await headerService();
      const response = await fetch(`${base}/status/${status}`, {headers: CLIENT});
      assert.equal(response.status, status);
      assert.equal(response.headers.get('retry-after'), '17');
      assert.equal(response.headers.get('x-request-id'), 'req_rest');
      assert.equal(response.headers.get('x-ratelimit-limit'), '5');
      const text = await response.text();
      if (status !== 204) assert.deepEqual(JSON.parse(text), {detail: `upstream says ${status}`, number: '9007199254740993'});
      assert.equal(servers.provider.with(...keys).length, 1);
    });
  }

  test('2 MiB in both directions', async () => {
    const {base} = await headerService();
    const sent = randomBytes(2 << 20);
    const echoed = await (await fetch(`${base}/up`, {method: 'POST', headers: CLIENT, body: sent})).json();
    assert.deepEqual([echoed.length, echoed.sha256], [sent.length, sha256(sent)]);
    const got = await (await fetch(`${base}/bytes/${2 << 20}`, {headers: CLIENT})).arrayBuffer();
    assert.ok(Buffer.from(got).equals(manyBytes(2 << 20)));
  });

  test('an upload of unknown length', async () => {
    const {base} = await headerService();
    const body = new ReadableStream({
      async start(controller) {
        for (let i = 0; i < 5; ++i) {
          controller.enqueue(new Uint8Array(1000).fill(i));
          await new Promise(resolve => setTimeout(resolve, 5));
        }
        controller.close();
      },
    });
    const got = await (await fetch(`${base}/up`, {method: 'POST', headers: CLIENT, body, duplex: 'half'})).json();
    const wanted = Buffer.concat([0, 1, 2, 3, 4].map(i => Buffer.alloc(1000, i)));
    assert.deepEqual([got.length, got.sha256], [5000, sha256(wanted)]);
  });

  test('a redirect is for the client, not for the key', async () => {
    const {base, keys} = await headerService();
    const response = await fetch(`${base}/redirect`, {headers: CLIENT, redirect: 'manual'});
    assert.equal(response.status, 302);
    assert.equal(servers.provider.with(...keys).length, 1);
  });

  test('cookies and hop-by-hop headers of the provider stay there', async () => {
    const {base} = await headerService();
    const cookies = await rawRequest(`${base}/cookies`, {headers: CLIENT});
    assert.deepEqual([cookies.headers['set-cookie'], cookies.headers['x-kept']], [undefined, 'yes']);
    const hop = await rawRequest(`${base}/hop`, {headers: CLIENT});
    assert.deepEqual([hop.headers['x-hop'], hop.headers['x-kept']], [undefined, 'yes']);
  });

  test('an event stream arrives event by event', async () => {
    const {base, keys} = await headerService();
    const lock = lockStep();
    servers.provider.script(keys[0], lock.script);
    const response = await fetch(`${base}/events`, {headers: CLIENT});
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    const {events, error} = await drain(response.body, lock.saw);
    assert.ifError(error);
    assert.equal(Buffer.concat(events).toString(), Array.from({length: 10}, (_, i) => tick(i)).join(''));
  });

  test('a broken answer is not a complete one', async () => {
    const {base, keys} = await headerService();
    const lock = lockStep();
    servers.provider.script(keys[0], {cutAfter: 3, ...lock.script});
    const {events, error} = await drain((await fetch(`${base}/events`, {headers: CLIENT})).body, lock.saw);
    assert.equal(Buffer.concat(events).toString(), [0, 1, 2].map(tick).join(''));
    assert.equal(error?.message, 'terminated', 'fetch notices');
  });

  test('abort ends the request at the provider', async () => {
    const {base, keys} = await headerService();
    servers.provider.script(keys[0], hangAt(2));
    const controller = new AbortController();
    const response = await fetch(`${base}/events`, {headers: CLIENT, signal: controller.signal});
    await response.body.getReader().read();
    controller.abort();
    await closesWithinASecond(servers.provider.with(...keys)[0]);
  });

  test('our own errors', async () => {
    const {base} = await headerService();
    const empty = await headerService('/rest', {keys: 0});
    const dead = await servers.gateway.addGeneric('header', 'X-Service-Token', await deadUrl(), {keys: 2});
    for (const [url, headers, wanted] of [
      [`${base}/x`, {'x-proxy-key': 'wrong'}, [401]], [`${base}/x`, {}, [401]], [`${empty.base}/x`, CLIENT, [503]],
      [`${servers.gateway.url}/proxy/nothing-here/x`, CLIENT, [404]], [`${dead.base}/x`, CLIENT, [502, 503, 504]],
    ]) {
      const response = await fetch(url, {headers});
      const text = await response.text();
      assert.ok(wanted.includes(response.status), `${url}: ${response.status} ${text}`);
      assert.equal(response.headers.get('x-rotator-error-source'), 'gateway');
      assert.match(response.headers.get('content-type'), /^application\/json/);
      assert.equal(typeof JSON.parse(text), 'object');
    }
  });
});
