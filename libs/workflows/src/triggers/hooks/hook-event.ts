import { readJson } from '#platform';
import type { JsonObject, JsonValue } from '../../definition/json';

/** A webhook's request as it came in. */
export interface HookRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** What is left of a request once the credentials are taken out: enough to make its event again. */
export interface ShownRequest {
  readonly headers: JsonObject;
  readonly query: JsonObject;
}

/** Credentials of the sender are not for the run's history, which every member can read. */
const WITHHELD = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-forwarded-for', 'forwarded']);

/**
 * The event that a webhook call gives to its workflow: `{headers, query, body, bodyKind}`. The body is the JSON value
 * (`json`), the fields of a form (`form`), text (`text`), base64 of anything else (`base64`), or null (`empty`). JSON that could not be
 * stored faithfully, or is none, is kept as text or base64: a sender may be odd, but a call is never lost for it.
 */
export function hookEvent({ headers, query }: ShownRequest, body: Buffer): JsonObject {
  return { headers, query, ...shownBody(textOf(headers['content-type']), body) };
}

/** A request as it may be kept and shown to members. */
export function shownRequest({ headers, query }: Pick<HookRequest, 'headers' | 'query'>): ShownRequest {
  return { headers: shownHeaders(headers), query: shownQuery(query) };
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function shownHeaders(headers: HookRequest['headers']): JsonObject {
  const shown = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || WITHHELD.has(name) ? [] : [[name, printable([value].flat().join(', '))] as const],
  );
  return Object.fromEntries(shown);
}

function shownQuery(query: HookRequest['query']): JsonObject {
  const shown = Object.entries(query).map(([name, value]): readonly [string, JsonValue] => [
    printable(name),
    Array.isArray(value) ? value.map((item) => printable(String(item))) : printable(String(value)),
  ]);
  return Object.fromEntries(shown);
}

/** A body as workflows see it: `{body, bodyKind}`. */
export function shownBody(
  contentType: string | string[] | undefined,
  body: Buffer,
): { readonly [key: string]: JsonValue } {
  if (body.length === 0) return { body: null, bodyKind: 'empty' };
  const type = String(contentType ?? '').toLowerCase();
  if (/[/+]json\b/.test(type)) {
    const reading = readJson(body);
    if ('value' in reading) return { body: reading.value, bodyKind: 'json' };
  }
  const text = body.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(body)) return { body: body.toString('base64'), bodyKind: 'base64' };
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return { body: formFields(text), bodyKind: 'form' };
  }
  return { body: printable(text), bodyKind: 'text' };
}

/** A field that comes once is a text, one that comes again a list. */
function formFields(text: string): JsonValue {
  const params = new URLSearchParams(text);
  const fields = [...new Set(params.keys())].map((name) => {
    const values = params.getAll(name).map(printable);
    return [printable(name), values.length === 1 ? (values[0] ?? '') : values] as const;
  });
  return Object.fromEntries(fields);
}

/** NUL and lone surrogates cannot be stored; they become U+FFFD. */
function printable(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\ufffd');
}
