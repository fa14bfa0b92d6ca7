import { isUtf8 } from 'node:buffer';
import type { Problem } from '../errors/app-error';

/** Deeper JSON is refused: recursive code over it (serialisers, jsonb, expressions) would end in a stack overflow. */
export const MAX_JSON_DEPTH = 100;

/** What a JSON text can say. */
export type ParsedJson =
  | string
  | number
  | boolean
  | null
  | readonly ParsedJson[]
  | { readonly [key: string]: ParsedJson };

/** What became of bytes that claim to be JSON. */
export type JsonReading = { readonly value: ParsedJson } | { readonly problem: Problem };

type Container = Readonly<Record<string, unknown>>;

/** A container still to be looked into, and the way to it. */
interface Place {
  readonly container: Container;
  readonly key: string;
  readonly parent: Place | null;
  readonly depth: number;
}

/**
 * Reads JSON from outside. What could not be stored and shown again later, or could harm code that copies it, is refused
 * with its place: invalid UTF-8, broken JSON, nesting over `MAX_JSON_DEPTH`, NUL characters, lone surrogates, prototype
 * keys, numbers beyond a double. Costs one pass over the text; the value is walked only if that pass saw a reason to.
 */
export function readJson(bytes: Uint8Array): JsonReading {
  if (!isUtf8(bytes)) return refused('', 'encoding', 'The body is not valid UTF-8.');
  const decoded = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  // RFC 8259 lets a parser ignore a byte order mark; some exporters write one.
  const text = decoded.startsWith('\ufeff') ? decoded.slice(1) : decoded;
  const seen = glance(text);
  if (seen.depth > MAX_JSON_DEPTH) return refused('', 'depth', tooDeep(''));
  let value: ParsedJson;
  try {
    value = JSON.parse(text) as ParsedJson;
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it ends too early';
    return refused('', 'syntax', `The body is not valid JSON: ${reason}.`);
  }
  const problem = seen.suspicious ? checkJson(value) : null;
  return problem ? { problem } : { value };
}

/**
 * The first thing in a JSON value that must not enter, or null: nesting over `MAX_JSON_DEPTH`, NUL characters, lone
 * surrogates, prototype keys, numbers that are not finite. Does not recurse; a cycle counts as too deep.
 */
export function checkJson(value: unknown): Problem | null {
  if (!isContainer(value)) return scalarProblem(value, () => '');
  const stack: Place[] = [{ container: value, key: '', parent: null, depth: 1 }];
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    if (place.depth > MAX_JSON_DEPTH) return wrong(pointerOf(place), 'depth', tooDeep(pointerOf(place)));
    const problem = membersProblem(place, stack);
    if (problem) return problem;
  }
  return null;
}

/** Looks at the members of one container; containers among them are put on the stack. */
function membersProblem(place: Place, stack: Place[]): Problem | null {
  for (const [key, member] of Object.entries(place.container)) {
    const at = () => `${pointerOf(place)}/${escaped(key)}`;
    const problem = keyProblem(key, member, at) ?? scalarProblem(member, at);
    if (problem) return problem;
    if (isContainer(member)) stack.push({ container: member, key, parent: place, depth: place.depth + 1 });
  }
  return null;
}

function keyProblem(key: string, member: unknown, at: () => string): Problem | null {
  if (
    key === '__proto__' ||
    (key === 'constructor' && isContainer(member) && Object.hasOwn(member, 'prototype'))
  ) {
    return wrong(at(), 'prototype_key', `The key "${key}" at ${at()} would change prototypes; rename it.`);
  }
  return textProblem(key, at);
}

function scalarProblem(value: unknown, at: () => string): Problem | null {
  if (typeof value === 'string') return textProblem(value, at);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return wrong(
      at(),
      'number_range',
      `The number at ${named(at())} is too large for a double; send it as a string.`,
    );
  }
  return null;
}

const LONE_SURROGATE = /\p{Cs}/u;

function textProblem(text: string, at: () => string): Problem | null {
  if (text.includes('\0')) {
    return wrong(at(), 'nul', `The text at ${named(at())} holds a NUL character (\\u0000); remove it.`);
  }
  if (LONE_SURROGATE.test(text)) {
    return wrong(
      at(),
      'surrogate',
      `The text at ${named(at())} holds half of a surrogate pair; send whole characters.`,
    );
  }
  return null;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
/** A double holds any whole number of fewer digits, so without an exponent only longer ones can overflow. */
const SAFE_DIGITS = 300;

/** One linear pass over a JSON text: how deep it nests, and whether anything in it may be wrong. */
function glance(text: string): { readonly depth: number; readonly suspicious: boolean } {
  let suspicious = text.includes('__proto__') || text.includes('constructor');
  let depth = 0;
  let deepest = 0;
  let digits = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(text, at + 1);
      suspicious ||= end.escapes;
      at = end.at;
    }
    // [ is 5b and { is 7b, ] is 5d and } is 7d: they differ in one bit.
    const bracket = char | 0x20;
    if (bracket === 0x7b) depth += 1;
    else if (bracket === 0x7d) depth -= 1;
    if (depth > deepest) deepest = depth;
    // An exponent (e or E after a digit) makes a number of any size.
    suspicious ||= digits > SAFE_DIGITS || (digits > 0 && bracket === 0x65);
    digits = char >= 0x30 && char <= 0x39 ? digits + 1 : 0;
  }
  return { depth: deepest, suspicious };
}

/** Where a string ends, and whether it holds a \u escape: only those can bring NUL, surrogates or a hidden key. */
function endOfString(text: string, from: number): { readonly at: number; readonly escapes: boolean } {
  let escapes = false;
  for (let at = from; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) return { at, escapes };
    if (char === BACKSLASH) {
      at += 1;
      escapes ||= text.charCodeAt(at) === LOWER_U;
    }
  }
  return { at: text.length, escapes };
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

function pointerOf(place: Place): string {
  const keys: string[] = [];
  for (let at: Place = place; at.parent !== null; at = at.parent) keys.push(escaped(at.key));
  return keys.length === 0 ? '' : `/${keys.toReversed().join('/')}`;
}

/** A key as a token of a JSON pointer (RFC 6901). */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function named(pointer: string): string {
  return pointer === '' ? 'the top' : pointer;
}

function tooDeep(pointer: string): string {
  const where = pointer === '' ? 'The JSON' : `The JSON at ${pointer}`;
  return `${where} nests deeper than ${MAX_JSON_DEPTH} levels; flatten it.`;
}

function wrong(pointer: string, code: string, message: string): Problem {
  return { pointer, code, message };
}

function refused(pointer: string, code: string, message: string): JsonReading {
  return { problem: wrong(pointer, code, message) };
}
