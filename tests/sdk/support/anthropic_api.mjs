// The Anthropic endpoints of the fake provider, below /anthropic.

import {answerText, formBody, jsonBody, need, pieces, sseEvent, TOOL_ARGUMENTS, TOOL_FRAGMENTS, wantedPieces} from './check.mjs';

const CREDENTIAL = ['header x-api-key'];
const FILE_CONTENT = Buffer.from(Array.from({length: 50_000}, (_, i) => (i * 17) % 256));
const MODELS = ['claude-a', 'claude-b'];

// Exactly one version header must arrive, whoever set it.
function checkVersion(request) {
  const versions = request.headersDistinct['anthropic-version'] ?? [];
  need(versions.length === 1 && /^20\d\d-\d\d-\d\d$/.test(versions[0]), `anthropic-version ${versions}`);
}

function promptOf(messages) {
  const content = messages.findLast(m => m.role === 'user').content;
  return typeof content === 'string' ? content : content.filter(b => b.type === 'text').map(b => b.text).join('');
}

function messages(request) {
  const body = jsonBody(request);
  need(typeof body.model === 'string', 'model');
  need(Number.isInteger(body.max_tokens), 'max_tokens');
  need(Array.isArray(body.messages) && body.messages.length > 0, 'messages');
  const prompt = promptOf(body.messages);
  if (body.stream) return {headers: {'request-id': 'req_stream'}, frames: messageFrames(body, prompt)};
  const content = body.tools
    ? [{type: 'tool_use', id: 'toolu_1', name: body.tools[0].name, input: TOOL_ARGUMENTS}]
    : [{type: 'text', text: answerText(prompt), citations: null}];
  return {
    headers: {'request-id': 'req_message', 'anthropic-ratelimit-requests-remaining': '41'},
    body: message(body, content, body.tools ? 'tool_use' : 'end_turn', 7),
  };
}

function message(body, content, stop_reason, output_tokens) {
  return {
    id: 'msg_1', type: 'message', role: 'assistant', model: body.model, content, stop_reason, stop_sequence: null,
    usage: {input_tokens: 5, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens},
  };
}

// One frame per event, except that a ping (which the SDK keeps to itself) goes with the event before it.
function messageFrames(body, prompt) {
  const block = body.tools
    ? {type: 'tool_use', id: 'toolu_1', name: body.tools[0].name, input: {}}
    : {type: 'text', text: ''};
  const deltas = body.tools
    ? ['', ...TOOL_FRAGMENTS].map(partial_json => ({type: 'input_json_delta', partial_json}))
    : pieces(prompt, wantedPieces(prompt)).map(text => ({type: 'text_delta', text}));
  const frames = [
    {type: 'message_start', message: message(body, [], null, 1)},
    {type: 'content_block_start', index: 0, content_block: block},
    ...deltas.map(delta => ({type: 'content_block_delta', index: 0, delta})),
    {type: 'content_block_stop', index: 0},
    {type: 'message_delta', delta: {stop_reason: body.tools ? 'tool_use' : 'end_turn', stop_sequence: null},
     usage: {output_tokens: 7}},
    {type: 'message_stop'},
  ].map(sseEvent);
  frames[1] += sseEvent({type: 'ping'});
  return frames;
}

const model = id => ({type: 'model', id, display_name: id.toUpperCase(), created_at: '2026-01-01T00:00:00Z'});

function models() {
  return {body: {data: MODELS.map(model), has_more: false, first_id: MODELS[0], last_id: MODELS.at(-1)}};
}

async function uploadFile(request) {
  const file = (await formBody(request, 'file')).get('file');
  return {body: {
    id: 'file_1', type: 'file', filename: file.name, mime_type: file.type, size_bytes: file.size,
    created_at: '2026-01-01T00:00:00Z', downloadable: false,
  }};
}

export const anthropicFileContent = FILE_CONTENT;

function route(method, path, answer, query = []) {
  const checked = request => {
    checkVersion(request);
    return answer(request);
  };
  return {method, path, answer: checked, query: ['beta', ...query], credential: CREDENTIAL};
}

export const anthropicRoutes = [
  route('POST', /^\/anthropic\/v1\/messages$/, messages),
  route('POST', /^\/anthropic\/v1\/messages\/count_tokens$/, request => {
    need(jsonBody(request).max_tokens === undefined, 'max_tokens');
    return {body: {input_tokens: 2095}};
  }),
  route('GET', /^\/anthropic\/v1\/models$/, models, ['limit', 'after_id', 'before_id']),
  route('GET', /^\/anthropic\/v1\/models\/claude-b$/, () => ({body: model('claude-b')})),
  route('POST', /^\/anthropic\/v1\/files$/, uploadFile),
  route('GET', /^\/anthropic\/v1\/files\/file_1\/content$/,
        () => ({headers: {'content-type': 'application/octet-stream'}, body: FILE_CONTENT})),
  route('DELETE', /^\/anthropic\/v1\/files\/file_1$/, () => ({body: {id: 'file_1', type: 'file_deleted'}})),
];
