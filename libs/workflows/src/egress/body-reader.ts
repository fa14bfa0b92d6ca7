import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { codeOf, EgressFault } from './fault';

/** The content codings `decodeBody` undoes, as an `Accept-Encoding` value. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';

/** Servers apply one coding, rarely two. A longer list is an attempt to make us work. */
const MAX_CODINGS = 3;

const brotliDecompressed = promisify(brotliDecompress);
const gunzipped = promisify(gunzip);
const inflated = promisify(inflate);
const inflatedRaw = promisify(inflateRaw);

/** Reads a body to its end, or throws `too_large` with the byte that passes the limit; the stream is then closed. */
export async function readBody(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/**
 * Undoes the codings a `Content-Encoding` value lists, last one first. Each step is held to `maxBytes`, so a bomb
 * of any height costs at most that much memory: zlib stops at the limit. Throws `too_large` or `bad_response`.
 */
export async function decodeBody(body: Buffer, contentEncoding: string, maxBytes: number): Promise<Buffer> {
  if (body.byteLength === 0) return body;
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length > MAX_CODINGS) {
    throw new EgressFault('bad_response', `The answer is compressed ${codings.length} times over.`);
  }
  let decoded = body;
  for (const coding of codings.toReversed()) decoded = await decodeOnce(decoded, coding, maxBytes);
  return decoded;
}

function tooLarge(maxBytes: number): EgressFault {
  return new EgressFault(
    'too_large',
    `The answer is larger than the ${maxBytes} bytes this request accepts; ask for less, or raise the limit.`,
  );
}

async function decodeOnce(body: Buffer, coding: string, maxBytes: number): Promise<Buffer> {
  try {
    return await decompress(body, coding, maxBytes);
  } catch (cause) {
    if (cause instanceof EgressFault) throw cause;
    if (codeOf(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw new EgressFault('bad_response', `The answer says it is compressed (${coding}) but is damaged.`, {
      cause,
    });
  }
}

function decompress(body: Buffer, coding: string, maxOutputLength: number): Promise<Buffer> {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return gunzipped(body, { maxOutputLength });
    case 'br':
      return brotliDecompressed(body, { maxOutputLength });
    case 'deflate':
      return hasZlibHeader(body)
        ? inflated(body, { maxOutputLength })
        : inflatedRaw(body, { maxOutputLength });
    default:
      throw new EgressFault(
        'bad_response',
        `The answer is compressed in a way that is not understood (${coding.slice(0, 40)}); ask for gzip, deflate or br.`,
      );
  }
}

/** The standard asks for a zlib wrapper around deflate, many servers send it bare. The method nibble tells. */
function hasZlibHeader(body: Buffer): boolean {
  return ((body[0] ?? 0) & 0x0f) === 0x08;
}
