import { z } from 'zod';
import { expressionLimits } from '../../expressions/limits';
import { linearRegex } from '../../expressions/linear-regex';
import {
  FormatFault,
  listIn,
  MAX_ITEMS,
  MAX_TEXT_CHARS,
  operation,
  refuseChars,
  refuseItems,
  sized,
  storable,
  textIn,
  type Work,
} from './operation';

const side = z.enum(['both', 'start', 'end']).default('both');
const position = z.int().min(-MAX_TEXT_CHARS).max(MAX_TEXT_CHARS);
const size = z.int().min(0).max(MAX_TEXT_CHARS);
const piece = z.string().max(10_000);
/** Compiled by the engine of expressions, whose time is linear in the text. */
const pattern = z
  .string()
  .min(1)
  .max(expressionLimits.regexLength)
  .refine((source) => regexOf(source) !== null, {
    error: 'must be a regex without look-around and back references',
  });

/** Operations on texts. Positions and lengths count characters, of which an emoji is one. */
export const textOperations = [
  operation('text.trim', { side }, (input, settings) => {
    const text = textIn(input);
    if (settings.side === 'start') return text.trimStart();
    return settings.side === 'end' ? text.trimEnd() : text.trim();
  }),
  operation('text.lower', {}, (input) => textIn(input).toLowerCase()),
  operation('text.upper', {}, (input) => sized(textIn(input).toUpperCase())),
  operation('text.title', {}, (input) => sized(titled(textIn(input)))),
  operation('text.slug', { separator: z.enum(['-', '_']).default('-') }, (input, { separator }) =>
    slugOf(textIn(input), separator),
  ),
  operation(
    'text.replace',
    { search: piece.min(1), with: piece.default(''), all: z.boolean().default(true) },
    (input, { search, with: put, all }) => storable(replaced(textIn(input), search, { put, all })),
  ),
  operation(
    'text.replacePattern',
    { pattern, with: piece.default(''), all: z.boolean().default(true) },
    (input, settings, work) => {
      const text = textIn(input);
      const found = matches(text, settings.pattern, { most: settings.all ? Infinity : 1, work });
      return storable(spliced(text, found, settings.with));
    },
  ),
  operation('text.match', { pattern, group: z.int().min(0).max(20).default(0) }, (input, settings, work) => {
    const [found] = matches(textIn(input), settings.pattern, { most: 1, work });
    return found?.groups[settings.group] ?? null;
  }),
  operation('text.split', { separator: piece }, (input, { separator }) => splitBy(textIn(input), separator)),
  operation('text.join', { separator: piece.default('') }, (input, { separator }) => {
    const texts = listIn(input).map((item, i) => {
      if (typeof item === 'string' || typeof item === 'number') return String(item);
      throw new FormatFault('type', `needs a list of texts or numbers; its item ${i} is neither`);
    });
    const chars = texts.reduce((sum, text) => sum + text.length, separator.length * (texts.length - 1));
    refuseChars(chars);
    return texts.join(separator);
  }),
  operation('text.substring', { start: position.default(0), end: position.optional() }, (input, settings) =>
    sliced(textIn(input), settings.start, settings.end),
  ),
  operation(
    'text.pad',
    {
      length: size,
      with: z.string().min(1).max(100).default(' '),
      side: z.enum(['start', 'end']).default('start'),
    },
    (input, settings) => {
      const text = textIn(input);
      const missing = settings.length - lengthOf(text);
      if (missing <= 0) return text;
      refuseChars(text.length + missing * 2);
      const padding = sliced(settings.with.repeat(Math.ceil(missing / lengthOf(settings.with))), 0, missing);
      return settings.side === 'start' ? padding + text : text + padding;
    },
  ),
  operation('text.length', {}, (input) => lengthOf(textIn(input))),
  operation(
    'text.truncate',
    { length: size, ending: z.string().max(100).default('…') },
    (input, { length, ending }) => {
      const text = textIn(input);
      if (lengthOf(text) <= length) return text;
      return sliced(sliced(text, 0, Math.max(0, length - lengthOf(ending))) + ending, 0, length);
    },
  ),
];

/** The first letter of each word large, the others small. */
function titled(text: string): string {
  return text
    .toLowerCase()
    .replace(
      /(^|[^\p{L}\p{M}\p{N}'’])(\p{L})/gu,
      (_, before: string, letter: string) => before + letter.toUpperCase(),
    );
}

/** Letters and digits of ASCII, accents taken off; whatever is between them becomes one separator. */
function slugOf(text: string, separator: string): string {
  const words = sized(text.normalize('NFKD'))
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  return words.join(separator);
}

function replaced(
  text: string,
  search: string,
  { put, all }: { readonly put: string; readonly all: boolean },
): string {
  const places: { readonly start: number; readonly end: number }[] = [];
  for (let at = text.indexOf(search); at >= 0; at = text.indexOf(search, at + search.length)) {
    places.push({ start: at, end: at + search.length });
    if (!all) break;
  }
  return spliced(text, places, put);
}

/** The text with something else at these places, which are in order. Its length is known before it is made. */
function spliced(
  text: string,
  places: readonly { readonly start: number; readonly end: number }[],
  put: string,
): string {
  const removed = places.reduce((sum, { start, end }) => sum + end - start, 0);
  refuseChars(text.length - removed + places.length * put.length);
  let from = 0;
  const pieces = places.map(({ start, end }) => {
    const kept = text.slice(from, start);
    from = end;
    return kept + put;
  });
  return pieces.join('') + text.slice(from);
}

interface Match {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | null)[];
}

function matches(
  text: string,
  source: string,
  { most, work }: { readonly most: number; readonly work: Work },
): readonly Match[] {
  const matcher = regexOf(source)?.matcher(text);
  const found: Match[] = [];
  // Each search may read to the end of the text, so each is paid for that far.
  for (let at = 0; matcher && found.length < most && at <= text.length;) {
    work.spend((matcher.programSize() * (text.length - at)) / 4 + 1);
    if (!matcher.find(at)) break;
    const end = matcher.end();
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i));
    found.push({ start: matcher.start(), end, groups });
    at = end === matcher.start() ? end + 1 : end;
  }
  return found;
}

function regexOf(source: string): ReturnType<typeof linearRegex> | null {
  try {
    return linearRegex(new RegExp(source, 'u'));
  } catch {
    // Both engines say what they dislike in words and classes of their own.
    return null;
  }
}

function splitBy(text: string, separator: string): readonly string[] {
  if (separator === '') return sized(Array.from(text.slice(0, 2 * MAX_ITEMS + 2)));
  let count = 1;
  for (let at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, at + separator.length))
    count += 1;
  refuseItems(count);
  return text.split(separator);
}

const pairs = /[\uD800-\uDBFF][\uDC00-\uDFFF]/;

function lengthOf(text: string): number {
  if (!pairs.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** As `slice`, by characters instead of halves of them. */
function sliced(text: string, start: number, end?: number): string {
  if (!pairs.test(text)) return text.slice(start, end);
  const length = lengthOf(text);
  const [from, to] = [start, end ?? length].map((at) => (at < 0 ? Math.max(0, length + at) : at));
  return text.slice(offsetOf(text, from ?? 0), offsetOf(text, Math.max(from ?? 0, to ?? 0)));
}

/** Where the character with this number begins. */
function offsetOf(text: string, character: number): number {
  let offset = 0;
  let left = character;
  for (const char of text) {
    if (left === 0) break;
    left -= 1;
    offset += char.length;
  }
  return offset;
}
