// The `google-genai` package for Python, as far as it differs from the one for JavaScript: it sends the pieces of an upload
// to the URL that the start's answer told, without a key.  They were answered with 401.

import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {createHash, randomBytes} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

import {ACCESS_KEY} from './support/gateway.mjs';
import {useServers} from './support/suite.mjs';

const PYTHON = process.env.AKR_PYTHON;
const SCRIPT = fileURLToPath(new URL('python/upload.py', import.meta.url));
const PIECE = 8 * 1024 * 1024;  // of the SDK

describe('gemini with Python', {concurrency: true, skip: PYTHON ? false : 'no Python packages (see run.sh)'}, () => {
  const servers = useServers();

  for (const how of ['sync', 'async']) {
    test(`file upload in pieces, with two keys: ${how}`, async () => {
      const service = await servers.add('gemini_native', '/gemini', {keys: 2});
      const arrived = () => servers.provider.with(...service.keys);
      const content = randomBytes(2 * PIECE + 1);
      const directory = await mkdtemp(join(tmpdir(), 'akr-sdk-file-'));
      try {
        const path = join(directory, 'film.mp4');
        await writeFile(path, content);
        for (let upload = 1; upload <= 2; ++upload) {
          const {stdout} = await promisify(execFile)(PYTHON, [SCRIPT, how, service.base, ACCESS_KEY, path]);
          const file = JSON.parse(stdout);
          assert.deepEqual([file.name, file.displayName, file.mimeType, file.sizeBytes],
                           ['files/abc', 'film', 'video/mp4', content.length]);
          assert.equal(file.sha256, createHash('sha256').update(content).digest('base64'));
          const requests = arrived().slice(-4);
          assert.equal(arrived().length, 4 * upload);
          assert.equal(new Set(requests.map(request => request.key)).size, 1, 'all pieces go to the key that began it');
          for (const request of requests) assert.doesNotMatch(request.rawHead, /rotator/);
        }
      } finally {
        await rm(directory, {recursive: true, force: true});
      }
    });
  }
});
