import { createHash } from 'node:crypto';
import { TextDecoder } from 'node:util';
import { z } from 'zod';
import { FormatFault, operation, refuseChars, storable, textIn } from './operation';

const variant = z
  .enum(['standard', 'url'])
  .default('standard')
  .describe('url: with - and _ and without padding.');

/** Digests and encodings of texts, as UTF-8. */
export const encodingOperations = [
  operation('hash.sha256', { encoding: z.enum(['hex', 'base64']).default('hex') }, (input, { encoding }) =>
    createHash('sha256').update(textIn(input)).digest(encoding),
  ),
  operation('base64.encode', { variant }, (input, settings) => {
    const bytes = Buffer.from(textIn(input));
    refuseChars(Math.ceil(bytes.length / 3) * 4);
    return bytes.toString(settings.variant === 'url' ? 'base64url' : 'base64');
  }),
  operation('base64.decode', {}, (input) => {
    const text = textIn(input).replace(/\s+/g, '');
    // Node leaves out what it does not know, and would give something for anything.
    if (!/^[\w+/-]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1) {
      throw new FormatFault('value', 'needs a text in base64');
    }
    return decoded(Buffer.from(text, 'base64'));
  }),
  operation('url.encode', {}, (input) => {
    const text = storable(textIn(input));
    refuseChars(encodedLength(text));
    return encodeURIComponent(text);
  }),
  operation('url.decode', { plusIsSpace: z.boolean().default(false) }, (input, { plusIsSpace }) => {
    const text = textIn(input);
    try {
      return storable(decodeURIComponent(plusIsSpace ? text.replaceAll('+', ' ') : text));
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      throw new FormatFault('value', 'needs a text in which every % begins the code of a character');
    }
  }),
];

function decoded(bytes: Buffer): string {
  try {
    return storable(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    if (error instanceof FormatFault) throw error;
    throw new FormatFault('value', 'gives no text: the bytes are not UTF-8');
  }
}

/** Three for each byte that is encoded, one for each that is not. */
function encodedLength(text: string): number {
  const plain = text.length - text.replace(/[A-Za-z0-9\-_.!~*'()]/g, '').length;
  return plain + 3 * (Buffer.byteLength(text) - plain);
}
