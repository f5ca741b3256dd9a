// The fake provider: one HTTP server with the endpoints of OpenAI, Anthropic and Gemini (see *_api.mjs) and a plain REST
// echo.  It checks every request that arrives and can be told, per upstream key, to misbehave.
//
//   provider.script(key, {status: 429, headers: {'retry-after': '7'}, body: {...}})   answer this instead
//   provider.script(key, {beforeFrame: async i => {...}})     called before frame i of a stream is written
//   provider.script(key, {cutAfter: 3, ...lockStep().script})  the connection breaks when the reader has 3 frames
//   provider.script(key, {eventIds: true})                    each event of a stream has an id
//   provider.script(key, {byteWise: true})                    each byte of a stream is a write of its own
//   provider.script(key, {delayMs: 500})                      before the answer
//   provider.script(key, {gzip: true})                        compress the answer, if the request allows it
//   provider.script(key, {dropBeforeAnswer: true})            the connection breaks instead of an answer
//
// What is wrong with a request goes to `violations` and is answered with 418, which no test expects.

import {createServer} from 'node:http';
import {setTimeout as sleep} from 'node:timers/promises';
import {gzipSync} from 'node:zlib';

import {anthropicRoutes} from './anthropic_api.mjs';
import {ACCESS_KEY} from './gateway.mjs';
import {geminiRoutes} from './gemini_api.mjs';
import {openaiRoutes} from './openai_api.mjs';
import {restRoutes} from './rest_api.mjs';

// First match wins; the REST echo matches everything below /rest.
const ROUTES = [...openaiRoutes, ...anthropicRoutes, ...geminiRoutes, ...restRoutes];

// Everything a request could carry a credential in.  `take` is the key without its decoration.
const bare = value => value;
const bearer = value => value.replace(/^Bearer /, '');
const CREDENTIALS = [
  ['header', 'authorization', bearer], ['header', 'x-api-key', bare], ['header', 'api-key', bare],
  ['header', 'x-goog-api-key', bare], ['header', 'x-anthropic-api-key', bare], ['header', 'x-proxy-key', bare],
  ['header', 'x-service-token', bare], ['header', 'cookie', bare], ['header', 'proxy-authorization', bearer],
  ['query', 'key', bare], ['query', 'api_key', bare], ['query', 'token', bare],
];

// The identity of the client and its way to the gateway stay there.
const PRIVATE_HEADERS = [
  'openai-organization', 'openai-project', 'anthropic-workspace-id', 'forwarded', 'x-forwarded-for', 'x-forwarded-host',
  'x-forwarded-proto', 'x-real-ip', 'cf-connecting-ip', 'proxy-connection', 'x-named-in-connection',
];

function credentialsOf(request) {
  const found = [];
  for (const [place, name, take] of CREDENTIALS) {
    const values = place === 'header' ? (request.headersDistinct[name] ?? []) : request.url.searchParams.getAll(name);
    for (const value of values) found.push({place: `${place} ${name}`, key: take(value)});
  }
  return found;
}

// What is wrong with the head and the bytes of a request, whatever the endpoint.
function complaints(request, route) {
  const wrong = [];
  const credentials = credentialsOf(request);
  if (credentials.length !== 1) wrong.push(`${credentials.length} credentials: ${credentials.map(c => c.place)}`);
  const place = credentials[0]?.place;
  if (place && !route.credential.includes(place)) wrong.push(`credential in ${place}`);
  if (place === 'header authorization' && !request.headers.authorization.startsWith('Bearer ')) wrong.push('no Bearer');
  if (!request.key) wrong.push('unknown upstream key');
  if (request.rawHead.includes(ACCESS_KEY)) wrong.push('access key in the head');
  if (request.body.includes(ACCESS_KEY)) wrong.push('access key in the body');
  if (request.headers.host !== request.expectedHost) wrong.push(`host ${request.headers.host}`);
  for (const name of PRIVATE_HEADERS) if (request.headers[name] !== undefined) wrong.push(`header ${name}`);
  for (const name of new Set(request.url.searchParams.keys())) {
    const allowed = route.query?.includes(name) || route.query === 'any' || place === `query ${name}`;
    if (!allowed) wrong.push(`query ${name}`);
    else if (route.query !== 'any' && request.url.searchParams.getAll(name).length > 1) wrong.push(`query ${name} twice`);
  }
  return wrong;
}

async function readBody(incoming) {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  return Buffer.concat(parts);
}

export async function startProvider() {
  const provider = new Provider();
  await provider.listen();
  return provider;
}

class Provider {
  url = '';
  keys = new Set();
  violations = [];
  requests = [];  // in order of arrival, see #receive
  #scripts = new Map();
  #server = createServer((incoming, outgoing) => this.#serve(incoming, outgoing));

  async listen() {
    await new Promise(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  // Upstream keys that this provider takes.
  allow(keys) {
    for (const key of keys) this.keys.add(key);
  }

  script(key, behaviour) {
    this.allow([key]);
    this.#scripts.set(key, behaviour);
  }

  // The requests that came with one of these keys.
  with(...keys) {
    return this.requests.filter(request => keys.includes(request.key));
  }

  async #serve(incoming, outgoing) {
    let request;
    try {
      request = await this.#receive(incoming, outgoing);
      const route = ROUTES.find(r => (r.method === 'ANY' || r.method === incoming.method) && r.path.test(request.path));
      if (!route) return this.#refuse(request, outgoing, ['no such endpoint']);
      const wrong = complaints(request, route);
      if (wrong.length > 0) return this.#refuse(request, outgoing, wrong);
      const behaviour = this.#scripts.get(request.key) ?? {};
      if (behaviour.dropBeforeAnswer) return void outgoing.destroy();
      if (behaviour.delayMs) await sleep(behaviour.delayMs, undefined, {ref: false});
      const answer = behaviour.status ? behaviour : await route.answer(request);
      await this.#send(answer, behaviour, request, outgoing);
    } catch (error) {
      if (request?.closed) return;  // the client went away, which is for the test to judge
      this.#refuse(request ?? {path: incoming.url}, outgoing, [error.message]);
    }
  }

  async #receive(incoming, outgoing) {
    const url = new URL(incoming.url, this.url);
    const request = {
      method: incoming.method,
      url,
      path: url.pathname,
      headers: incoming.headers,
      headersDistinct: incoming.headersDistinct,
      rawHead: incoming.url + '\n' + incoming.rawHeaders.join('\n'),
      target: incoming.url,
      expectedHost: new URL(this.url).host,
      key: undefined,
      body: Buffer.alloc(0),
      closed: false,  // the connection ended before the answer did
      framesSent: 0,
    };
    request.whenClosed = new Promise(resolve => {
      outgoing.once('close', () => {
        request.closed = !outgoing.writableFinished;
        resolve(performance.now());
      });
    });
    request.body = await readBody(incoming);
    request.json = () => JSON.parse(request.body.toString());
    request.form = () => new Response(request.body, {headers: {'content-type': request.headers['content-type']}}).formData();
    request.key = credentialsOf(request).map(c => c.key).find(key => this.keys.has(key));
    this.requests.push(request);
    return request;
  }

  #refuse(request, outgoing, wrong) {
    this.violations.push(`${request.method} ${request.path}: ${wrong.join('; ')}`);
    if (outgoing.headersSent) return outgoing.destroy();
    outgoing.writeHead(418, {'content-type': 'application/json'});
    outgoing.end(JSON.stringify({error: {message: `provider: ${wrong.join('; ')}`, type: 'violation', code: 418, status: 'X'}}));
  }

  // answer: {status?, headers?, body (object, string or bytes)} or {frames: [...], headers?}
  async #send({status = 200, headers = {}, body, frames}, behaviour, request, outgoing) {
    if (frames) return this.#stream(frames, headers, behaviour, request, outgoing);
    const isJson = typeof body === 'object' && body !== null && !Buffer.isBuffer(body);
    let bytes = Buffer.isBuffer(body) ? body : Buffer.from(isJson ? JSON.stringify(body) : (body ?? ''));
    const all = {...(isJson && {'content-type': 'application/json'}), ...headers};
    if (behaviour.gzip && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
      bytes = gzipSync(bytes);
      all['content-encoding'] = 'gzip';
    }
    if (status !== 204) all['content-length'] = bytes.length;
    outgoing.writeHead(status, all);
    outgoing.end(request.method === 'HEAD' ? undefined : bytes);
  }

  async #stream(frames, headers, behaviour, request, outgoing) {
    const {beforeFrame, cutAfter = Infinity, byteWise, eventIds} = behaviour;
    outgoing.writeHead(200, {'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', ...headers});
    outgoing.flushHeaders();
    for (const [i, frame] of frames.entries()) {
      if (beforeFrame) await Promise.race([beforeFrame(i), request.whenClosed]);
      if (i >= cutAfter) outgoing.destroy();
      if (outgoing.destroyed) return;
      const text = eventIds ? `id: ${i}\n${frame}` : frame;
      for (const piece of byteWise ? eachByte(text) : [text]) {
        outgoing.write(piece);
        if (byteWise) await new Promise(setImmediate);
      }
      ++request.framesSent;
    }
    outgoing.end();
  }
}

function* eachByte(text) {
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; ++i) yield bytes.subarray(i, i + 1);
}
