import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { JsonValue } from '../definition/json';
import { Masker } from './masker';
import { spellingsOf } from './spellings';

const maskerOf = (...values: readonly string[]) =>
  new Masker(values.map((value, i) => ({ name: `S${i}`, spellings: spellingsOf(value) })));

/** What a server may do to a text before it answers with it. */
const ENCODINGS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  json: (text) => JSON.stringify(text).slice(1, -1),
  'json, all as \\u': (text) =>
    [...Array(text.length).keys()].map((i) => `\\u${hex(text.charCodeAt(i), 4)}`).join(''),
  'json in json': (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1),
  base64: (text) => Buffer.from(text).toString('base64'),
  'base64 behind one byte': (text) => Buffer.from(`:${text}:`).toString('base64'),
  'base64 behind two bytes': (text) => Buffer.from(`a:${text}`).toString('base64'),
  'base64, folded': (text) => Buffer.from(`user:${text}`).toString('base64').replace(/.{19}/g, '$&\r\n'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  'base64url behind one byte': (text) => Buffer.from(`x${text}`).toString('base64url'),
  'base64 of json': (text) => Buffer.from(JSON.stringify({ a: text })).toString('base64'),
  'base64 in a query': (text) => encodeURIComponent(Buffer.from(`a${text}`).toString('base64')),
  'utf-16 in base64': (text) => Buffer.from(text, 'utf16le').toString('base64'),
  percent: encodeURIComponent,
  'percent, small letters': (text) =>
    encodeURIComponent(text).replace(/%../g, (escape) => escape.toLowerCase()),
  'percent, everything': (text) => [...Buffer.from(text)].map((byte) => `%${hex(byte, 2)}`).join(''),
  'percent, twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  form: (text) => new URLSearchParams([['', text]]).toString().slice(1),
  hex: (text) => Buffer.from(text).toString('hex'),
  HEX: (text) => Buffer.from(text).toString('hex').toUpperCase(),
  html: (text) =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  'html, everything': (text) =>
    Array.from(text, (letter) => `&#x${letter.codePointAt(0)?.toString(16)};`).join(''),
  'html in json': (text) => JSON.stringify(text.replaceAll('<', '&lt;')).slice(1, -1),
  'a form in json': (text) => JSON.stringify(new URLSearchParams([['q', text]]).toString()),
};

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}

/** Texts like tokens and passwords, and texts that are nothing but characters which encodings change. */
const secrets = fc.oneof(
  fc.string({ minLength: 8, maxLength: 40, unit: 'grapheme-ascii' }),
  fc.string({ minLength: 8, maxLength: 40, unit: fc.constantFrom(...Array.from('%+&<>"\'\\/ =?#;:')) }),
  fc.string({ minLength: 8, maxLength: 40, unit: 'grapheme' }),
  fc.base64String({ minLength: 8, maxLength: 200 }),
  fc.uint8Array({ minLength: 16, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
);

/** A text, and what it holds in base64. */
function layersOf(text: string, depth = 3): string {
  const digits = depth === 0 ? [] : (text.match(/[A-Za-z0-9+/_-]{8,}/g) ?? []);
  return [
    text,
    ...digits.map((each) => layersOf(Buffer.from(each, 'base64').toString('latin1'), depth - 1)),
  ].join(' ');
}

/** What must not be left: the encoded text but for its ends, where digits of base64 may belong to what stands beside. */
const inner = (text: string) => text.replace(/=+$/, '').slice(2, -2);

describe('Masker', () => {
  it.each(Object.entries(ENCODINGS))('leaves nothing of a secret: %s', (_, encode) => {
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
        const encoded = encode(secret);
        // Repeated characters may stand in the text around as well.
        fc.pre(!`${before}${after}***S0***`.includes(inner(encoded)) && new Set(secret).size > 5);
        // A backslash or a percent sign right before would make something else of it.
        const text = `${before.replace(/[\\%&]+$/, '')} ${encoded} ${after}`;
        const masked = maskerOf(secret).text(text);
        expect(layersOf(masked)).toContain('***S0***');
        expect(masked).not.toContain(inner(encoded));
        expect(masked.startsWith(before.replace(/[\\%&]+$/, ''))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('looks into base64 for what is escaped or encoded once more', () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    fc.assert(
      fc.property(secrets, (secret) => {
        fc.pre(new Set(secret).size > 5);
        const escaped = encodeURIComponent(secret).replace(/%../g, (escape) => escape.toLowerCase());
        const credentials = base64(`ada:${secret}`);
        const masker = maskerOf(secret);
        for (const hidden of [escaped, credentials, base64(credentials)]) {
          const text = base64(`q=1&token=${hidden}`);
          const masked = masker.text(text);
          const layers = layersOf(masked);
          expect(layers).toContain('***S0***');
          for (const left of [inner(text), inner(hidden), secret]) expect(layers).not.toContain(left);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('gives back what holds no secret, itself', () => {
    const masker = maskerOf('a secret text');
    const value = { list: ['a secret tex', { n: 1, '%41': null }], bytes: 'YSBzZWNyZXQ=' };
    expect(masker.json(value)).toBe(value);
  });

  it('masks names of members, numbers, and what is nested', () => {
    const masker = maskerOf('12345678', 'hunter2hunter2');
    const value: JsonValue = { hunter2hunter2: [{ pin: 12345678, other: 7 }], 'x%68unter2hunter2': true };
    expect(masker.json(value)).toEqual({
      '***S1***': [{ pin: '***S0***', other: 7 }],
      'x***S1***': true,
    });
  });

  it('masks each long line of a secret with several, and what is left of one that was cut', () => {
    const lines = [
      '-----BEGIN KEY-----',
      'MIIEvQIBADANBgkqhkiG9w0BAQEF',
      'AASCBKcwggSjAgEAAoIBAQC7VJTU',
      '-----END KEY-----',
    ];
    const masker = maskerOf(lines.join('\n'));
    expect(masker.text(`one: ${lines[1]}, two: ${lines[2]}`)).toBe('one: ***S0***, two: ***S0***');
    expect(masker.text(lines.join('\r\n'))).toBe('***S0***');
    expect(masker.text(JSON.stringify({ key: lines.join('\n') }))).toBe('{"key":"***S0***"}');
    const long = ['a', 'b', 'c'].map((text) => createHash('sha512').update(text).digest('base64')).join('');
    expect(maskerOf(long).text(long.slice(0, 150))).toBe(`***S0***${long.slice(128, 150)}`);
  });

  it('leaves nothing of secrets that overlap, contain one another, or touch', () => {
    expect(maskerOf('abcdefgh', 'efghijkl').text('-abcdefghijkl-')).toBe('-***S0***-');
    expect(maskerOf('cdefgh', 'abcdefghij').text('-abcdefghij-')).toBe('-***S1***-');
    expect(maskerOf('abcdefgh', 'ijklmnop').text('-abcdefghijklmnop-')).toBe('-***S0******S1***-');
  });

  it('masks bytes that are no text, as base64 has them, and leaves the other bytes as they are', () => {
    const bytes = (text: string) =>
      Buffer.concat([Buffer.from([0, 255, 128]), Buffer.from(text), Buffer.from([250])]).toString('base64');
    const masked = maskerOf('geheim: <schlüssel>').text(
      bytes('{"a":"geheim: <schlüssel>","b":"geheim: &lt;schlüssel&gt;","c":"%67eheim: <schl\\u00fcssel>"}'),
    );
    expect(masked).toBe(bytes('{"a":"***S0***","b":"***S0***","c":"***S0***"}'));
  });

  it('is not slowed down by a text that nearly is the secret at each of its places', () => {
    const masker = maskerOf(`${'a'.repeat(8_191)}b`);
    // A comparison of the whole secret at each place would be 8 * 10^9 steps.
    expect(masker.text('a'.repeat(1_000_000))).toBe('***S0***');
  });
});
