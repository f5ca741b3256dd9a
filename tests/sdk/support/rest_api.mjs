// A plain REST service of the fake provider, below /rest: it says what it got.

import {createHash} from 'node:crypto';

export const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');

// /rest/status/418 answers with that status; /rest/bytes/N with N bytes; anything else with a description.
function echo(request) {
  const [, what, argument] = request.path.match(/^\/rest\/(status|bytes|redirect|cookies|hop)(?:\/(\d+))?$/) ?? [];
  switch (what) {
    case 'status':
      return {
        status: Number(argument),
        headers: {'retry-after': '17', 'x-request-id': 'req_rest', 'x-ratelimit-limit': '5'},
        ...(argument !== '204' && {body: {detail: `upstream says ${argument}`, number: 9007199254740993n.toString()}}),
      };
    case 'bytes':
      return {headers: {'content-type': 'application/octet-stream'}, body: manyBytes(Number(argument))};
    case 'redirect':
      return {status: 302, headers: {location: `http://${request.expectedHost}/rest/followed`}};
    case 'cookies':
      return {headers: {'set-cookie': 'provider=session', 'x-kept': 'yes'}, body: {}};
    case 'hop':
      return {headers: {'x-hop': 'mine', connection: 'keep-alive, x-hop', 'x-kept': 'yes'}, body: {}};
    default:
      return {body: {
        method: request.method, target: request.target, query: [...request.url.searchParams],
        headers: request.headers, length: request.body.length, sha256: sha256(request.body),
      }};
  }
}

export function manyBytes(count) {
  const bytes = Buffer.alloc(count);
  for (let i = 0; i < count; ++i) bytes[i] = (i * 2654435761) >>> 24;
  return bytes;
}

export const tick = i => `id: ${i}\ndata: tick ${i}\n\n`;
const events = () => ({frames: Array.from({length: 10}, (_, i) => tick(i))});

const route = (method, path, answer) =>
  ({method, path, answer, query: 'any', credential: ['header x-service-token', 'query token', 'header authorization']});
export const restRoutes = [
  route('GET', /^\/rest\/events$/, events),
  route('ANY', /^\/rest(\/|$)/, echo),
];
