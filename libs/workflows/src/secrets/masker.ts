import { setMember } from '../expressions/clean-json';
import type { JsonObject, JsonValue } from '../definition/json';
import { isJsonArray, isJsonObject } from '../definition/json-guards';
import type { OutputMask } from '../nodes/output-mask';
import { MIN_SECRET_CHARS } from './spellings';
import { unfolded, type View, viewsOf } from './unescaping';

/** A secret to be masked, with every way in which it is looked for. */
export interface MaskedSecret {
  readonly name: string;
  readonly spellings: readonly string[];
}

/** What is masked: a part of a text, and which secret it spells. */
interface Span {
  readonly start: number;
  end: number;
  readonly name: string;
}

/**
 * A long spelling is looked for piece by piece: what was cut through is masked as far as it goes, and no text can make
 * each of its places be compared with thousands of characters.
 */
const PIECE = 64;

/** A spelling, among those that begin alike. */
interface Spelling {
  readonly text: string;
  readonly name: string;
}

/** Every spelling is at least this long, so its beginning of this length tells whether to look closer. */
const WINDOW = MIN_SECRET_CHARS;
/** Without any of these no escape is undone and no line break left out: most texts are looked at once. */
const HIDING = /[%\\&\r\n]/;
/** Shorter ones are among the spellings, and what they hold beside a secret of six characters is little. */
const BASE64 = /[A-Za-z0-9+/_-]{16,}={0,2}/g;
/** How often base64 is looked into: the credentials of a header within a body that is sent on in base64. */
const MAX_BASE64_DEPTH = 3;
const FACTOR = 31;
/** FACTOR to the power of WINDOW - 1: what a character weighs when it leaves the window. */
const LEAVING = FACTOR ** (WINDOW - 1);
const FILTER_BITS = 0xfff;
const NONE: readonly Span[] = [];

/** What is written in place of a secret. */
function maskOf(name: string): string {
  return `***${name}***`;
}

/**
 * Puts `***NAME***` in place of secrets, however they are spelled (`spellings.ts`) and escaped (`unescaping.ts`). One pass
 * over a text finds all spellings of all secrets, because it compares a hash of the next few characters with those that
 * spellings begin with (Rabin and Karp); so the time grows with the text and not with the number of secrets.
 */
export class Masker implements OutputMask {
  readonly #byHash = new Map<number, Spelling[]>();
  /** Whether any spelling begins with such a hash: most places of a text are passed over by this alone. */
  readonly #filter = new Uint8Array(FILTER_BITS + 1);

  constructor(secrets: readonly MaskedSecret[]) {
    for (const { name, spellings } of secrets) {
      for (const spelling of spellings) for (const text of piecesOf(spelling)) this.#add({ text, name });
    }
    for (const spellings of this.#byHash.values()) spellings.sort((a, b) => b.text.length - a.text.length);
  }

  text(text: string): string {
    return this.#text(text, MAX_BASE64_DEPTH);
  }

  /** Masks every text in a value, names of members included. What holds no secret is given back itself, not copied. */
  json<T extends JsonValue>(value: T): T | JsonValue {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') {
      const text = this.text(String(value));
      return text === String(value) ? value : text;
    }
    if (isJsonArray(value)) {
      const items = value.map((item) => this.json(item));
      return items.every((item, i) => item === value[i]) ? value : items;
    }
    return isJsonObject(value) ? this.object(value) : value;
  }

  object(value: JsonObject): JsonObject {
    const members = Object.entries(value).map(
      ([key, member]) => [this.text(key), this.json(member), key, member] as const,
    );
    if (members.every(([key, member, oldKey, old]) => key === oldKey && member === old)) return value;
    const object: { [key: string]: JsonValue } = {};
    for (const [key, member] of members) setMember(object, key, member);
    return object;
  }

  #text(original: string, base64Depth: number): string {
    if (original.length < WINDOW) return original;
    // First: what is base64 as a whole must be read from its beginning, and stays base64. What begins in the middle of a
    // group of digits is found by its spelling then.
    const text = base64Depth === 0 ? original : this.#withinBase64(original, base64Depth - 1);
    const spans = HIDING.test(text) ? this.#hiddenSpansIn(text) : this.#spansIn({ text, starts: null });
    return spans.length === 0 ? text : masked(text, spans);
  }

  #hiddenSpansIn(text: string): readonly Span[] {
    return viewsOf(text).flatMap((view) => {
      const flat = unfolded(view);
      return [...this.#spansIn(view), ...(flat === null ? [] : this.#spansIn(flat))];
    });
  }

  /** What is encoded as a whole is looked into as well: in there a secret may be escaped, or encoded once more. */
  #withinBase64(text: string, depth: number): string {
    return text.replace(BASE64, (digits) => {
      const decoded = Buffer.from(digits, 'base64').toString('latin1');
      const result = this.#text(decoded, depth);
      if (result === decoded) return digits;
      return Buffer.from(result, 'latin1').toString(/[-_]/.test(digits) ? 'base64url' : 'base64');
    });
  }

  #add(spelling: Spelling): void {
    const hash = hashOf(spelling.text);
    const others = this.#byHash.get(hash);
    if (others?.some(({ text, name }) => text === spelling.text && name === spelling.name)) return;
    if (others) others.push(spelling);
    else this.#byHash.set(hash, [spelling]);
    this.#filter[hash & FILTER_BITS] = 1;
  }

  #spansIn({ text, starts }: View): readonly Span[] {
    if (text.length < WINDOW) return NONE;
    let spans: Span[] | null = null;
    let hash = hashOf(text);
    for (let at = 0; ; at += 1) {
      const found = this.#filter[hash & FILTER_BITS] === 1 ? this.#spellingAt(text, at, hash) : undefined;
      if (found) {
        const end = at + found.text.length;
        spans ??= [];
        joined(spans, { start: starts?.[at] ?? at, end: starts?.[end] ?? end, name: found.name });
      }
      if (at + WINDOW >= text.length) return spans ?? NONE;
      const rest = hash - Math.imul(text.charCodeAt(at), LEAVING);
      hash = (Math.imul(rest, FACTOR) + text.charCodeAt(at + WINDOW)) | 0;
    }
  }

  /** The longest spelling that stands there. */
  #spellingAt(text: string, at: number, hash: number): Spelling | undefined {
    return this.#byHash.get(hash)?.find((spelling) => text.startsWith(spelling.text, at));
  }
}

function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < WINDOW; i += 1) hash = (Math.imul(hash, FACTOR) + text.charCodeAt(i)) | 0;
  return hash;
}

function piecesOf(spelling: string): readonly string[] {
  if (spelling.length <= PIECE) return [spelling];
  const whole = Math.floor(spelling.length / PIECE);
  const pieces = Array.from({ length: whole }, (_, i) => spelling.slice(i * PIECE, (i + 1) * PIECE));
  return [...pieces, spelling.slice(-PIECE)];
}

/** Adds a part that begins no earlier than the last: those that overlap become one, and so do pieces of one secret. */
function joined(spans: Span[], span: Span): void {
  const last = spans.at(-1);
  const apart =
    last === undefined || span.start > last.end || (span.start === last.end && span.name !== last.name);
  if (apart) spans.push(span);
  else last.end = Math.max(last.end, span.end);
}

function masked(text: string, found: readonly Span[]): string {
  const spans: Span[] = [];
  for (const span of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) joined(spans, { ...span });
  const pieces = spans.map(({ start, name }, i) => text.slice(spans[i - 1]?.end ?? 0, start) + maskOf(name));
  return pieces.join('') + text.slice(spans.at(-1)?.end ?? 0);
}
