// The Gemini endpoints of the fake provider, below /gemini.

import {createHash, randomUUID} from 'node:crypto';

import {answerText, jsonBody, need, pieces, TOOL_ARGUMENTS, wantedPieces} from './check.mjs';

const CREDENTIAL = ['header x-goog-api-key'];
const usage = {promptTokenCount: 5, candidatesTokenCount: 7, totalTokenCount: 12};

// Google ends its event lines with CR LF.
const sse = object => `data: ${JSON.stringify(object)}\r\n\r\n`;

function promptOf(body) {
  need(Array.isArray(body.contents) && body.contents.every(c => c.parts?.length > 0), 'contents');
  return body.contents.at(-1).parts.map(part => part.text ?? '').join('');
}

function chunk(parts, finishReason) {
  return {
    candidates: [{content: {role: 'model', parts}, index: 0, ...(finishReason && {finishReason})}],
    usageMetadata: usage, modelVersion: 'gemini-fake', responseId: 'resp-1',
  };
}

function toolParts(body) {
  const {name} = body.tools[0].functionDeclarations[0];
  return [{functionCall: {id: 'fc-1', name, args: TOOL_ARGUMENTS}, thoughtSignature: 'c2lnbmF0dXJl'}];
}

function generate(request) {
  const body = jsonBody(request);
  const prompt = promptOf(body);
  return {body: chunk(body.tools ? toolParts(body) : [{text: answerText(prompt)}], 'STOP')};
}

function stream(request) {
  need(request.url.searchParams.get('alt') === 'sse', 'alt=sse');
  const body = jsonBody(request);
  const prompt = promptOf(body);
  const steps = body.tools ? [toolParts(body)] : pieces(prompt, wantedPieces(prompt)).map(text => [{text}]);
  return {frames: steps.map((parts, i) => sse(chunk(parts, i === steps.length - 1 && 'STOP')))};
}

function batchEmbed(request) {
  const {requests} = jsonBody(request);
  need(Array.isArray(requests) && requests.length > 0, 'requests');
  return {body: {embeddings: requests.map((_, i) => ({values: [0.25, -1.5, i]}))}};
}

function embed(request) {
  need(jsonBody(request).content?.parts, 'content');
  return {body: {embedding: {values: [0.25, -1.5, 0]}}};
}

const model = id => ({name: `models/${id}`, displayName: id, inputTokenLimit: 1000, outputTokenLimit: 100});

const uploads = new Map();  // by id

// Step 1 of the resumable protocol: the answer says where the bytes go, as an absolute URL of the provider.
function startUpload(request) {
  const header = name => request.headers[`x-goog-upload-${name}`];
  need(header('protocol') === 'resumable' && header('command') === 'start', 'start of a resumable upload');
  need(/^\d+$/.test(header('header-content-length')), 'length of the upload');
  const {file} = jsonBody(request);
  const id = randomUUID();
  uploads.set(id, {
    name: file?.displayName ?? file?.display_name ?? '',  // Python's
    type: header('header-content-type'), size: Number(header('header-content-length')),
    key: request.key, pieces: [], received: 0,
  });
  const place = `http://${request.expectedHost}${request.path}?upload_id=${id}&upload_protocol=resumable`;
  return {headers: {'x-goog-upload-url': place, 'x-goog-upload-status': 'active'}, body: {}};
}

// Step 2: the bytes, in one piece or several.
function continueUpload(request) {
  const wanted = uploads.get(request.url.searchParams.get('upload_id'));
  need(wanted, 'an upload that was begun');
  need(request.key === wanted.key, 'the key that began the upload');
  const command = request.headers['x-goog-upload-command'];
  need(command === 'upload' || command === 'upload, finalize', 'upload or upload, finalize');
  need(request.headers['x-goog-upload-offset'] === String(wanted.received), 'offset');
  wanted.pieces.push(request.body);
  wanted.received += request.body.length;
  if (command === 'upload') return {headers: {'x-goog-upload-status': 'active'}, body: ''};
  need(wanted.received === wanted.size, `${wanted.received} bytes of ${wanted.size}`);
  return {
    headers: {'x-goog-upload-status': 'final'},
    body: {file: {
      name: 'files/abc', displayName: wanted.name, mimeType: wanted.type, sizeBytes: String(wanted.size),
      sha256Hash: createHash('sha256').update(Buffer.concat(wanted.pieces)).digest('base64'), state: 'ACTIVE',
      uri: `http://${request.expectedHost}/gemini/v1beta/files/abc`,
    }},
  };
}

const upload = request => (request.url.searchParams.has('upload_id') ? continueUpload(request) : startUpload(request));

const VERSION = '/gemini/(v1|v1beta|v1alpha)';
const MODEL = `^${VERSION}/models/[a-z0-9.-]+`;
const route = (method, path, answer, query) => ({method, path: new RegExp(path), answer, query, credential: CREDENTIAL});
export const geminiRoutes = [
  route('POST', `${MODEL}:generateContent$`, generate),
  route('POST', `${MODEL}:streamGenerateContent$`, stream, ['alt']),
  route('POST', `${MODEL}:countTokens$`, () => ({body: {totalTokens: 2095}})),
  route('POST', `${MODEL}:embedContent$`, embed),
  route('POST', `${MODEL}:batchEmbedContents$`, batchEmbed),
  route('GET', `^${VERSION}/models$`, () => ({body: {models: ['gemini-a', 'gemini-b'].map(model)}}), ['pageSize', 'pageToken']),
  route('GET', `^${VERSION}/models/gemini-b$`, () => ({body: model('gemini-b')})),
  route('POST', `^/gemini/upload/(v1|v1beta)/files$`, upload, ['upload_id', 'upload_protocol']),
];
