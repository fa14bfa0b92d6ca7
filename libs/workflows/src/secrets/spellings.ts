import { bare } from './unescaping';

/** Shorter ones would be found everywhere, and could be guessed from what is masked. */
export const MIN_SECRET_CHARS = 6;
/** Enough for a private key or the credentials of a service account. */
export const MAX_SECRET_CHARS = 8_192;

/** A line of a secret that is at least so long is masked by itself. */
const MIN_LINE_CHARS = 16;

/**
 * All ways in which a secret is looked for: as it is, each of its long lines, and base64 (wherever in a longer text it
 * begins) and hexadecimal digits of any of these, escaped before or not. Escapes themselves are not among them: they are
 * undone before anything is looked for.
 */
export function spellingsOf(value: string): readonly string[] {
  const parts = [value, ...longLinesOf(value)];
  const found = new Set<string>();
  for (const part of parts) {
    for (const text of plainOf(part)) found.add(text);
    for (const text of escapedOf(part)) for (const code of codesOf(Buffer.from(text))) found.add(code);
    for (const code of codesOf(Buffer.from(part, 'utf16le'))) found.add(code);
  }
  return [...found].filter(({ length }) => length >= MIN_SECRET_CHARS);
}

function longLinesOf(value: string): readonly string[] {
  const lines = value.split(/[\r\n]+/).map((line) => line.trim());
  // The first and last lines of keys and certificates are no secret.
  return lines.length < 2
    ? []
    : lines.filter((line) => line.length >= MIN_LINE_CHARS && !line.startsWith('-----'));
}

/** The text, with other line breaks, in capitals or small letters, and as its bytes would be read one by one. */
function plainOf(text: string): readonly string[] {
  const breaks = [
    text,
    text.replace(/\r?\n/g, '\r\n'),
    text.replace(/\r?\n/g, '\n'),
    text.replace(/[\r\n]+[ \t]*/g, ''),
  ];
  const forms = [...breaks, text.trim(), text.toLowerCase(), text.toUpperCase(), text.replaceAll(' ', '+')];
  const bytes = forms.map((form) => Buffer.from(form).toString('latin1'));
  const all = [...forms, ...bytes];
  return [...all, ...all.map(bare)];
}

/** The text as it stands in JSON, in a URL, in a form and in HTML: what a server encodes may be any of these. */
function escapedOf(text: string): readonly string[] {
  const form = new URLSearchParams([['', text]]).toString().slice(1);
  const html = text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const entities = text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
  const json = JSON.stringify(text).slice(1, -1);
  return [
    text,
    json,
    encodeURIComponent(text),
    encodeURI(text),
    form,
    html,
    entities,
    text.replace(/\r?\n/g, '\r\n'),
  ];
}

/** Base64 of the bytes at each place in a group of three where they may begin, and their hexadecimal digits. */
function codesOf(bytes: Buffer): readonly string[] {
  const hex = bytes.toString('hex');
  const groups = [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    // The first and the last digit may hold bits of what stands beside, unless nothing follows.
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor(((before + bytes.length) * 8) / 6);
    return [padded.slice(first, last), padded.slice(first).replace(/=+$/, ''), padded.slice(first)];
  });
  const urlSafe = groups.map((digits) => digits.replaceAll('+', '-').replaceAll('/', '_'));
  return [...groups, ...urlSafe, hex, hex.toUpperCase()];
}
