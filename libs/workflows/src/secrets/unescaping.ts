/**
 * A text as it reads once escapes are undone, which remembers where each of its characters stood. `starts[i]` is where
 * character `i` begins in the original, and one more entry says where that ends.
 */
export interface View {
  readonly text: string;
  /** Null when nothing has moved. */
  readonly starts: Uint32Array | null;
}

/** How often escapes are undone: a JSON text within a JSON text within a query is as deep as anybody goes. */
const MAX_DEPTH = 3;

const ESCAPE =
  /%[0-9a-f]{2}|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\["'\\/bfnrt]|&#[0-9]{1,7};|&#x[0-9a-f]{1,6};|&(?:amp|lt|gt|quot|apos|nbsp);/gi;

const LETTERS: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
};

/** The text itself, then with its escapes undone once, twice and so on, as long as that changes anything. */
export function viewsOf(text: string): readonly View[] {
  const views: View[] = [{ text, starts: null }];
  for (let view = views[0]; view !== undefined && views.length <= MAX_DEPTH;) {
    const next = unescaped(view);
    if (next === null) break;
    views.push(next);
    view = next;
  }
  return views;
}

/** The text with its escapes undone as often as there are any. */
export function bare(text: string): string {
  return viewsOf(text).at(-1)?.text ?? text;
}

/** The same without its line breaks: base64 is often folded. Null when it has none. */
export function unfolded(view: View): View | null {
  return rewritten(view, /[\r\n]+[ \t]*/g, () => '');
}

/** Undoes percent-encoding (a byte becomes the character of its number), escapes of JSON, and references of HTML. */
function unescaped(view: View): View | null {
  return /[%\\&]/.test(view.text) ? rewritten(view, ESCAPE, meaningOf) : null;
}

function rewritten(view: View, pattern: RegExp, meaning: (escape: string) => string): View | null {
  const { text } = view;
  const pieces: string[] = [];
  const moves: { readonly from: number; readonly length: number; readonly kept: boolean }[] = [];
  let at = 0;
  for (const { 0: escape, index } of text.matchAll(pattern)) {
    const letter = meaning(escape);
    pieces.push(text.slice(at, index), letter);
    moves.push(
      { from: at, length: index - at, kept: true },
      { from: index, length: letter.length, kept: false },
    );
    at = index + escape.length;
  }
  if (moves.length === 0) return null;
  pieces.push(text.slice(at));
  moves.push({ from: at, length: text.length - at, kept: true });
  const rewrittenText = pieces.join('');
  const starts = new Uint32Array(rewrittenText.length + 1);
  const origin = (place: number): number => view.starts?.[place] ?? place;
  let to = 0;
  for (const { from, length, kept } of moves) {
    for (let i = 0; i < length; i += 1) starts[to + i] = origin(kept ? from + i : from);
    to += length;
  }
  starts[to] = origin(text.length);
  return { text: rewrittenText, starts };
}

function meaningOf(escape: string): string {
  if (escape.startsWith('%')) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
  if (escape.startsWith('\\')) {
    const letter = escape.slice(1, 2);
    if (escape.length > 2) return String.fromCharCode(Number.parseInt(escape.slice(2), 16));
    return LETTERS[letter] ?? letter;
  }
  const name = escape.slice(1, -1).toLowerCase();
  if (!name.startsWith('#')) return ENTITIES[name] ?? escape;
  const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code <= 0x10_ff_ff ? String.fromCodePoint(code) : escape;
}
