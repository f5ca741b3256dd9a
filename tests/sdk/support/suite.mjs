// What the test files share: the two servers of a file, and ways to look at streams, sent bytes and errors.

import assert from 'node:assert/strict';
import {createServer} from 'node:net';
import {after, before} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';

import {ACCESS_KEY, startGateway} from './gateway.mjs';
import {startProvider} from './provider.mjs';

const READER_TIMEOUT_MS = 20_000;  // with other suites beside it on two processors

// A gateway and a provider for the tests of one `describe`.  `add` makes a service in front of the provider:
//   const service = await servers.add('openai_compatible', '/openai/v1', {keys: 2});
// settings: of the gateway, in its environment.
export function useServers(settings = {}) {
  const servers = {
    gateway: undefined,
    provider: undefined,
    add: async (format, path, options) =>
      allowed(await servers.gateway.addLlm(format, servers.provider.url + path, options)),
    addRest: async (location, name, path, options) =>
      allowed(await servers.gateway.addGeneric(location, name, servers.provider.url + path, options)),
  };
  const allowed = service => {
    servers.provider.allow(service.keys);
    return service;
  };
  before(async () => {
    servers.provider = await startProvider();
    servers.gateway = await startGateway(settings);
  });
  after(async () => {
    try {
      await servers.gateway?.stop();
    } finally {
      await servers.provider?.stop();
    }
    if (!servers.gateway) return;  // it did not start, which is reported already
    assert.deepEqual(servers.provider.violations, [], 'every request that arrived was right');
    checkLogs(servers.gateway, [ACCESS_KEY, ...servers.provider.keys]);
  });
  return servers;
}

// The access log is JSON, and no secret is in either log.
function checkLogs(gateway, secrets) {
  for (const line of gateway.accessLog) assert.doesNotThrow(() => JSON.parse(line), `not JSON: ${line}`);
  for (const line of [...gateway.accessLog, ...gateway.log]) {
    assert.ok(!line.includes('rotator_upload_credential'), `the credential of an upload in the log: ${line}`);
    for (const secret of secrets) assert.ok(!line.includes(secret), `a secret in the log: ${line}`);
  }
}

// A stream whose frame i is only sent when the reader has seen i events: a gateway that collects frames never gets on.
//   provider.script(key, lock.script);  for await (const event of stream) lock.saw();
export function lockStep() {
  let seen = 0;
  let wake = () => {};
  const beforeFrame = async i => {
    const deadline = AbortSignal.timeout(READER_TIMEOUT_MS);
    while (seen < i) {
      await new Promise((resolve, reject) => {
        wake = resolve;
        deadline.onabort = () => reject(new Error(`the reader did not get event ${seen} of the stream`));
      });
    }
  };
  const saw = () => {
    ++seen;
    wake();
  };
  return {script: {beforeFrame}, saw};
}

// A stream that stops before frame `at` until the connection ends, which has to happen soon.
export function hangAt(at) {
  const hang = async () => {
    await sleep(READER_TIMEOUT_MS, undefined, {ref: false});
    throw new Error('nobody ended the stream');
  };
  return {beforeFrame: i => (i < at ? undefined : hang())};
}

// A fetch for an SDK that keeps the text of the bodies it sends.
export function recordingFetch() {
  const sent = [];
  const record = (url, options) => {
    if (typeof options?.body === 'string') sent.push(options.body);
    return fetch(url, options);
  };
  return {fetch: record, sent};
}

// The error of a promise that must fail, checked for its class.
export async function failure(promise, errorClass) {
  const error = await promise.then(() => assert.fail('no error'), e => e);
  assert.ok(error instanceof errorClass, `${error.constructor.name} is a ${errorClass.name}: ${error.stack}`);
  return error;
}

// Reads until the end or an error; returns both.  saw: called for each event, for a lock step.
export async function drain(stream, saw = () => {}) {
  const events = [];
  try {
    for await (const event of stream) {
      events.push(event);
      saw();
    }
    return {events};
  } catch (error) {
    return {events, error};
  }
}

// The provider sees the connection of `request` end within a second of the abort, which was just now.  The second is
// counted in 20 turns of this process's loop: the tests beside this one compare megabytes and once kept the loop from
// looking at any socket for 956 ms, so that a clock on the wall blamed the gateway for it.
export async function closesWithinASecond(request) {
  for (let turn = 0; turn < 20 && !request.closed; ++turn) {
    await Promise.race([request.whenClosed, sleep(50)]);
  }
  assert.ok(request.closed, 'the provider still has the connection after 1 s, or the answer ended first');
}

// A URL of this machine where nobody listens.
export async function deadUrl() {
  const server = createServer();
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address();
  await new Promise(resolve => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
