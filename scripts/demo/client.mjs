// What a caller of the API needs: requests, the curl command that does the same, and event streams.

/** The demo cannot go on; the message says why. */
export class DemoError extends Error {}

/**
 * Sends a request `{method, url, token?, headers?, body?}` (`body` is text) and gives the parsed answer. Throws
 * DemoError with the server's own words when it is refused.
 */
export async function send({ method, url, token, headers = {}, body }) {
  const answer = await reach(url, {
    method,
    headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) },
    ...(body !== undefined && { body }),
  });
  const text = await answer.text();
  if (answer.ok) return text === '' ? null : JSON.parse(text);
  throw new DemoError(`${method} ${url} answered ${answer.status}: ${reasonIn(text)}`);
}

function reasonIn(text) {
  try {
    const { code, detail, errors = [] } = JSON.parse(text);
    const places = errors.map(({ pointer, message }) => `\n  ${pointer}: ${message}`);
    return `${code}: ${detail}${places.join('')}`;
  } catch {
    return text.slice(0, 500);
  }
}

async function reach(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    const { origin } = new URL(url);
    throw new DemoError(
      `No Millrace answers at ${origin}: start it with npm start in another terminal, or run the demo without --url.`,
      { cause: error },
    );
  }
}

/** The same request for a terminal. `shownBody` stands for the body, `@file` for one that is in a file. */
export function curlOf({ method, url, token, headers = {}, shownBody, flags = '-s' }) {
  const parts = [`curl ${flags} ${url}`];
  if (method !== (shownBody === undefined ? 'GET' : 'POST')) parts.push(`-X ${method}`);
  if (token) parts.push(`-H "authorization: Bearer $TOKEN"`);
  for (const [name, value] of Object.entries(headers)) parts.push(`-H '${name}: ${value}'`);
  if (shownBody !== undefined) parts.push(`--data-binary '${shownBody}'`);
  return parts.join(' \\\n      ');
}

/** Yields the events of a stream of Server-Sent Events as `{id, event, data}` until the server ends it. */
export async function* eventsOf(url, token) {
  const answer = await reach(url, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new DemoError(`GET ${url} answered ${answer.status}.`);
  let buffered = '';
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    buffered += text;
    const blocks = buffered.split('\n\n');
    buffered = blocks.pop();
    yield* blocks.map(eventIn).filter(({ data }) => data !== undefined);
  }
}

function eventIn(block) {
  const fields = block.split('\n').map((line) => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
  const { id, event, data } = Object.fromEntries(fields);
  return { id, event, data: data === undefined ? undefined : JSON.parse(data) };
}
