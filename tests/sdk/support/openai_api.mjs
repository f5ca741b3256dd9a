// The OpenAI endpoints of the fake provider, below /openai.

import {answerText, formBody, jsonBody, need, pieces, sseData, sseEvent, TOOL_FRAGMENTS, wantedPieces} from './check.mjs';

const CREDENTIAL = ['header authorization'];
const FILE_CONTENT = Buffer.from(Array.from({length: 70_000}, (_, i) => (i * 31) % 256));

// The text of the last user message: what the answer is about.
function promptOf(messages) {
  const content = messages.findLast(m => m.role === 'user')?.content ?? '';
  return typeof content === 'string' ? content : content.filter(p => p.text).map(p => p.text).join('');
}

function chat(request) {
  const body = jsonBody(request);
  need(typeof body.model === 'string', 'model');
  need(Array.isArray(body.messages) && body.messages.length > 0, 'messages');
  need(!body.stream_options || body.stream, 'stream_options without stream');
  const prompt = promptOf(body.messages);
  if (body.stream) return {frames: chatFrames(body, prompt)};
  const message = body.tools
    ? {role: 'assistant', content: null, refusal: null, tool_calls: [toolCall(body, TOOL_FRAGMENTS.join(''))]}
    : {role: 'assistant', content: answerText(prompt), refusal: null};
  return {
    headers: {'x-request-id': 'req_chat', 'x-ratelimit-remaining-requests': '41'},
    body: {
      id: 'chatcmpl-1', object: 'chat.completion', created: 1_700_000_000, model: body.model,
      choices: [{index: 0, message, logprobs: null, finish_reason: body.tools ? 'tool_calls' : 'stop'}], usage: chatUsage(),
    },
  };
}

const chatUsage = () => ({prompt_tokens: 5, completion_tokens: 7, total_tokens: 12});

function toolCall(body, text) {
  return {id: 'call_1', type: 'function', function: {name: body.tools[0].function.name, arguments: text}};
}

// The grammar of a chat stream: role, deltas, finish, usage if asked for, [DONE].
function chatFrames(body, prompt) {
  const withUsage = body.stream_options?.include_usage;
  const chunk = (choices, usage = null) => sseData({
    id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: body.model, choices,
    ...(withUsage && {usage}),
  });
  const delta = (value, finish_reason = null) => chunk([{index: 0, delta: value, logprobs: null, finish_reason}]);
  const middle = body.tools
    ? [delta({tool_calls: [{index: 0, ...toolCall(body, '')}]}),
       ...TOOL_FRAGMENTS.map(text => delta({tool_calls: [{index: 0, function: {arguments: text}}]}))]
    : pieces(prompt, wantedPieces(prompt)).map(content => delta({content}));
  return [
    delta({role: 'assistant', content: body.tools ? null : '', refusal: null}),
    ...middle,
    delta({}, body.tools ? 'tool_calls' : 'stop'),
    ...(withUsage ? [chunk([], chatUsage())] : []),
    'data: [DONE]\n\n',
  ];
}

function responses(request) {
  const body = jsonBody(request);
  need(typeof body.model === 'string', 'model');
  need(body.input !== undefined, 'input');
  const text = answerText(typeof body.input === 'string' ? body.input : promptOf(body.input));
  if (body.stream) return {frames: responsesFrames(body, text)};
  return {body: responseObject(body, 'completed', [message(text, 'completed')])};
}

function message(text, status) {
  return {id: 'msg_1', type: 'message', status, role: 'assistant', content: text === '' ? [] : [outputText(text)]};
}

const outputText = text => ({type: 'output_text', text, annotations: [], logprobs: []});

function responseObject(body, status, output) {
  return {
    id: 'resp_1', object: 'response', created_at: 1_700_000_000, status, error: null, incomplete_details: null,
    instructions: body.instructions ?? null, model: body.model, output, tools: [], tool_choice: 'auto',
    parallel_tool_calls: true, metadata: body.metadata ?? {}, temperature: 1, top_p: 1, max_output_tokens: null,
    previous_response_id: null, reasoning: {effort: null, summary: null}, store: true, text: {format: {type: 'text'}},
    truncation: 'disabled', user: null,
    usage: status !== 'completed' ? null : {
      input_tokens: 5, input_tokens_details: {cached_tokens: 0, cache_write_tokens: 0}, output_tokens: 7,
      output_tokens_details: {reasoning_tokens: 0}, total_tokens: 12,
    },
  };
}

function responsesFrames(body, text) {
  const at = {item_id: 'msg_1', output_index: 0, content_index: 0};
  const events = [
    {type: 'response.created', response: responseObject(body, 'in_progress', [])},
    {type: 'response.in_progress', response: responseObject(body, 'in_progress', [])},
    {type: 'response.output_item.added', output_index: 0, item: message('', 'in_progress')},
    {type: 'response.content_part.added', ...at, part: outputText('')},
    ...text.match(/.{1,20}/gsu).map(delta => ({type: 'response.output_text.delta', ...at, delta, logprobs: []})),
    {type: 'response.output_text.done', ...at, text, logprobs: []},
    {type: 'response.content_part.done', ...at, part: outputText(text)},
    {type: 'response.output_item.done', output_index: 0, item: message(text, 'completed')},
    {type: 'response.completed', response: responseObject(body, 'completed', [message(text, 'completed')])},
  ];
  return events.map((event, i) => sseEvent({...event, sequence_number: i}));
}

function embeddings(request) {
  const body = jsonBody(request);
  const inputs = [body.input].flat();
  const data = inputs.map((_, index) => {
    const numbers = Float32Array.of(0.25, -1.5, index);
    const base64 = Buffer.from(numbers.buffer).toString('base64');
    return {object: 'embedding', index, embedding: body.encoding_format === 'base64' ? base64 : [...numbers]};
  });
  return {body: {object: 'list', model: body.model, data, usage: {prompt_tokens: 3, total_tokens: 3}}};
}

const model = id => ({id, object: 'model', created: 1_700_000_000, owned_by: 'fake'});

async function uploadFile(request) {
  const form = await formBody(request, 'purpose', 'file');
  const file = form.get('file');
  return {body: {
    id: 'file-1', object: 'file', bytes: file.size, created_at: 1_700_000_000, filename: file.name,
    purpose: form.get('purpose'), status: 'processed',
  }};
}

const batch = (status, output_file_id) => ({body: {
  id: 'batch_1', object: 'batch', endpoint: '/v1/responses', input_file_id: 'file-1', completion_window: '24h', status,
  created_at: 1_700_000_000, output_file_id, error_file_id: null,
}});

function createBatch(request) {
  need(jsonBody(request).input_file_id === 'file-1', 'input_file_id');
  return batch('validating', null);
}

async function transcription(request) {
  const form = await formBody(request, 'model', 'file');
  return {body: {text: `heard ${form.get('file').size} bytes as ${form.get('model')}`}};
}

function speech(request) {
  need(typeof jsonBody(request).input === 'string', 'input');
  return {headers: {'content-type': 'audio/mpeg'}, body: FILE_CONTENT};
}

export const openaiFileContent = FILE_CONTENT;

const route = (method, path, answer, query) => ({method, path, answer, query, credential: CREDENTIAL});
export const openaiRoutes = [
  route('POST', /^\/openai\/v1\/chat\/completions$/, chat),
  route('POST', /^\/openai\/v1\/responses$/, responses),
  route('POST', /^\/openai\/v1\/embeddings$/, embeddings),
  route('GET', /^\/openai\/v1\/models$/, () => ({body: {object: 'list', data: ['m-1', 'm-2', 'm-3'].map(model)}})),
  route('GET', /^\/openai\/v1\/models\/m-2$/, () => ({body: model('m-2')})),
  route('GET', /^\/openai\/v1\/models\/accounts%2Fx%2Fm$/, () => ({body: model('accounts/x/m')})),
  route('POST', /^\/openai\/v1\/files$/, uploadFile),
  route('GET', /^\/openai\/v1\/files$/, () => ({body: {object: 'list', data: [], has_more: false}}), ['limit', 'purpose']),
  route('POST', /^\/openai\/v1\/batches$/, createBatch),
  route('GET', /^\/openai\/v1\/batches\/batch_1$/, () => batch('completed', 'file-2')),
  route('GET', /^\/openai\/v1\/files\/file-[12]\/content$/,
        () => ({headers: {'content-type': 'application/octet-stream'}, body: FILE_CONTENT})),
  route('DELETE', /^\/openai\/v1\/files\/file-1$/, () => ({body: {id: 'file-1', object: 'file', deleted: true}})),
  route('POST', /^\/openai\/v1\/audio\/transcriptions$/, transcription),
  route('POST', /^\/openai\/v1\/audio\/speech$/, speech),
];
