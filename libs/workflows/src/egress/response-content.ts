import { TextDecoder } from 'node:util';
import type { JsonValue } from '../definition/json';
import { codeOf } from './fault';

/** A response body as a JSON value, and how it was read. */
export interface ResponseContent {
  readonly bodyKind: 'json' | 'text' | 'base64' | 'empty';
  readonly body: JsonValue;
}

/** JSON nested deeper than this stays text: what walks values later may recurse. */
const MAX_JSON_DEPTH = 100;

const JSON_TYPE = /^[\w.-]+\/(?:[\w.+-]+\+)?json$/;
const TEXT_TYPE =
  /^(?:text\/.+|[\w.-]+\/(?:[\w.+-]+\+)?(?:xml|yaml)|application\/(?:javascript|ecmascript|graphql|x-www-form-urlencoded|x-ndjson|ndjson|jsonl|jwt|sql|toml|x-yaml|x-sh))$/;

/**
 * Reads a body by its `Content-Type`: JSON is parsed, text is decoded by its charset, all else is base64.
 *
 * What calls itself JSON and is not, or is nested more than 100 levels deep, is kept as text. NUL characters and
 * lone surrogates, which PostgreSQL can not store, become U+FFFD wherever they stand, keys included.
 */
export function responseContent(body: Buffer, contentType: string): ResponseContent {
  if (body.byteLength === 0) return { bodyKind: 'empty', body: null };
  const mediaType = (contentType.split(';')[0] ?? '').trim().toLowerCase();
  const isJson = JSON_TYPE.test(mediaType);
  if (!isJson && !TEXT_TYPE.test(mediaType)) return { bodyKind: 'base64', body: body.toString('base64') };
  const text = decode(body, contentType);
  const parsed = isJson ? parseJson(text) : undefined;
  return parsed === undefined
    ? { bodyKind: 'text', body: storableText(text) }
    : { bodyKind: 'json', body: parsed };
}

/** The text with every NUL and every lone surrogate replaced by U+FFFD. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** Whether a JSON text opens more brackets inside one another than `levels`, told without building any of it. */
export function nestsDeeper(json: string, levels: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at];
    if (isInString) {
      if (char === '\\') at += 1;
      else if (char === '"') isInString = false;
    } else if (char === '"') {
      isInString = true;
    } else if (char === '[' || char === '{') {
      depth += 1;
      if (depth > levels) return true;
    } else if (char === ']' || char === '}') {
      depth -= 1;
    }
  }
  return false;
}

function parseJson(text: string): JsonValue | undefined {
  if (nestsDeeper(text, MAX_JSON_DEPTH)) return undefined;
  try {
    return storableJson(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A parsed value with storable strings and keys. It recurses: the depth has been looked at before. */
export function storableJson(value: unknown): JsonValue {
  if (typeof value === 'string') return storableText(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return value.map(storableJson);
  // `fromEntries` defines properties instead of assigning them, so a key `__proto__` stays a key.
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => [storableText(key), storableJson(inner)]),
  );
}

function decode(body: Buffer, contentType: string): string {
  const label = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  return decoderFor(label).decode(body);
}

function decoderFor(label: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch (error) {
    if (codeOf(error) === 'ERR_ENCODING_NOT_SUPPORTED') return new TextDecoder();
    throw error;
  }
}
