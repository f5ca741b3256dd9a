// Small things the endpoints of the fake provider share.

// Throws unless the condition holds; the provider records that as a violation.
export function need(condition, complaint) {
  if (!condition) throw new Error(complaint);
}

// The JSON body of a request that says it is JSON.
export function jsonBody(request) {
  const type = request.headers['content-type'] ?? 'none';
  need(type.split(';')[0] === 'application/json', `content type ${type}`);
  return request.json();
}

// The form of a request that says it is one; `fields` must all be there.
export async function formBody(request, ...fields) {
  const type = request.headers['content-type'] ?? 'none';
  need(type.startsWith('multipart/form-data; boundary='), `content type ${type}`);
  const form = await request.form();
  for (const field of fields) need(form.has(field), `no form field ${field}`);
  return form;
}

export const sseData = object => `data: ${JSON.stringify(object)}\n\n`;
export const sseEvent = object => `event: ${object.type}\n${sseData(object)}`;

// What a stream says, piece by piece; every piece names the request it belongs to.
export function pieces(marker, count = 8) {
  return Array.from({length: count}, (_, i) => `${marker}#${i} ${'é日本🙂'} `);
}

export const answerText = marker => pieces(marker).join('');

// "[n=300]" in a prompt asks for a stream of that many pieces.
export const wantedPieces = prompt => Number(/\[n=(\d+)\]/.exec(prompt)?.[1] ?? 8);

// The arguments of every tool call, and how they arrive in a stream.
export const TOOL_ARGUMENTS = {city: 'Zürich "N"', days: 3, big: '9007199254740993'};
export const TOOL_FRAGMENTS = JSON.stringify(TOOL_ARGUMENTS).match(/.{1,9}/gsu);
