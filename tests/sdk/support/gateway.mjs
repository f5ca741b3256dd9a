// One gateway process per test file: its own temporary directory, database and port.
//
//   const gateway = await startGateway();          // reads AKR_BINARY, set by run.sh
//   const {base, keys} = await gateway.addLlm('openai_compatible', provider.url + '/v1', {keys: 2});
//   await gateway.stop();                          // SIGTERM, temporary directory removed
//
// Every test makes its own service with its own keys, so the tests of a file can run at the same time and a key that one
// test wears out is nobody else's.

import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {rmSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';

export const ACCESS_KEY = 'sdk-access-key-0001';
export const OTHER_ACCESS_KEY = 'sdk-access-key-0002';
const ADMIN = {username: 'admin', password: 'sdk-tests-Passw0rd'};
const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;

// A test file that takes too long gets a signal; its gateway ends with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const exited = child => child.exitCode !== null || child.signalCode !== null;

function gatewayEnvironment(directory) {
  return {
    PATH: process.env.PATH,
    BACKEND_PORT: '0',
    WORKERS: '2',
    DATABASE_PATH: join(directory, 'akr.db'),
    DATA_DIR: join(directory, 'data'),
    ADMIN_USERNAME: ADMIN.username,
    ADMIN_PASSWORD: ADMIN.password,
    JWT_SECRET: randomBytes(20).toString('hex'),
    ENCRYPTION_KEY: randomBytes(32).toString('hex'),
    GLOBAL_PROXY_KEYS: `${ACCESS_KEY},${OTHER_ACCESS_KEY}`,
    SHUTDOWN_GRACE: '1',
  };
}

// The port of the log line {"event":"ready","port":N}.  Rejects with the log so far if the process ends or is too slow.
function readyPort(child, log) {
  return new Promise((resolve, reject) => {
    const fail = reason => reject(new Error(`gateway: ${reason}\n${log.join('\n')}`));
    const timer = setTimeout(() => fail(`not ready after ${READY_TIMEOUT_MS} ms`), READY_TIMEOUT_MS);
    child.once('error', error => fail(error.message));
    child.once('exit', (code, signal) => fail(`ended with ${signal ?? code} before it was ready`));
    createInterface({input: child.stderr}).on('line', line => {
      log.push(line);
      if (!line.includes('"ready"')) return;
      const entry = JSON.parse(line);
      if (entry.event !== 'ready') return;
      clearTimeout(timer);
      resolve(entry.port);
    });
  });
}

export async function startGateway(settings = {}) {
  const binary = process.env.AKR_BINARY;
  assert.ok(binary, 'AKR_BINARY names the gateway binary; start the tests with run.sh');
  const directory = await mkdtemp(join(tmpdir(), 'akr-sdk-'));
  const child = spawn(binary, [], {
    cwd: directory,
    env: {...gatewayEnvironment(directory), ...settings},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const endWithUs = () => {
    child.kill('SIGKILL');
    rmSync(directory, {recursive: true, force: true});
  };
  process.once('exit', endWithUs);
  const gateway = new Gateway(child, directory, endWithUs);
  try {
    const port = await readyPort(child, gateway.log);
    gateway.url = `http://127.0.0.1:${port}`;
    await gateway.login();
    return gateway;
  } catch (error) {
    await gateway.stop().catch(() => {});
    throw error;
  }
}

class Gateway {
  url = '';
  accessLog = [];  // lines of stdout
  log = [];        // lines of stderr
  #child;
  #directory;
  #endWithUs;
  #token = '';
  #services = 0;

  constructor(child, directory, endWithUs) {
    this.#child = child;
    this.#directory = directory;
    this.#endWithUs = endWithUs;
    createInterface({input: child.stdout}).on('line', line => this.accessLog.push(line));
  }

  async login() {
    const answer = await this.#admin('POST', '/admin/login', ADMIN);
    this.#token = answer.access_token;
    assert.ok(this.#token, 'login gives an access token');
  }

  // An LLM service with `keys` fresh upstream keys (or the given list of them).
  // base: the URL an Anthropic or Gemini SDK takes; the OpenAI SDK takes base + '/v1'.
  async addLlm(format, target, {keys = 1, ...settings} = {}) {
    const slug = this.#freshSlug();
    const names = keyNames(slug, keys);
    const id = await this.#addService({
      name: slug, slug, config_type: 'LLM', api_format: format, target_base_url: target, ...settings,
    }, names);
    return {id, slug, keys: names, base: `${this.url}/llm/${slug}`};
  }

  // A GENERIC service that takes any method.  location: 'header' or 'query'; name: of that header or parameter.
  async addGeneric(location, name, target, {keys = 1, ...settings} = {}) {
    const slug = this.#freshSlug();
    const names = keyNames(slug, keys);
    const id = await this.#addService({
      name: slug, slug, config_type: 'GENERIC', method: 'ANY', target_url: target,
      api_key_location: location, api_key_name: name, ...settings,
    }, names);
    return {id, slug, keys: names, base: `${this.url}/proxy/${slug}`};
  }

  // Ends the process and removes its directory; the logs are complete then.  Throws if the process had to be killed or did
  // not end with 0.
  async stop() {
    const child = this.#child;
    if (!exited(child)) {
      const ended = new Promise(resolve => child.once('close', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    }
    process.removeListener('exit', this.#endWithUs);
    await rm(this.#directory, {recursive: true, force: true});
    assert.equal(child.signalCode ?? child.exitCode, 0, `gateway ended badly\n${this.log.slice(-20).join('\n')}`);
  }

  #freshSlug() {
    return `sdk-${++this.#services}`;
  }

  async #addService(settings, keys) {
    const {id} = await this.#admin('POST', '/admin/proxy-configs', {is_active: true, ...settings});
    assert.equal(typeof id, 'number', 'a new service has an id');
    if (keys.length > 0) await this.#admin('POST', `/admin/proxy-configs/${id}/keys/batch`, {keys});
    return id;
  }

  async #admin(method, path, body) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(this.#token && {authorization: `Bearer ${this.#token}`}),
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }
}

function keyNames(slug, keys) {
  if (Array.isArray(keys)) return keys;
  return Array.from({length: keys}, (_, i) => `up-${slug}-${i}-${randomBytes(12).toString('hex')}`);
}
