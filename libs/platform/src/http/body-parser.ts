import type { IncomingHttpHeaders } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppError, type ErrorType } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { readJson } from './json-guard';
import { rawBodyLimitOf } from './raw-body.decorator';

/** The content types of ordinary routes. */
export const ACCEPTED_CONTENT_TYPES = ['application/json'] as const;

/** What the parsers look at of Fastify's request. */
interface BodyRequest {
  readonly is404: boolean;
  readonly headers: IncomingHttpHeaders;
  readonly routeOptions: { readonly config: unknown };
}

/** Laid over the headers of a request: Fastify keeps those that came in beneath. */
const ANY_BYTES = { 'content-type': 'application/octet-stream' };

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;

/**
 * Replaces the parsers of Fastify and Nest: JSON routes take UTF-8 JSON that `readJson` lets through, routes with
 * `@RawBodyRoute` take any bytes, everything else is a 415. The bytes stay on `request.rawBody`.
 */
export function installBodyParsers(app: NestFastifyApplication, limitBytes: number): void {
  const instance = app.getHttpAdapter().getInstance();
  instance.removeAllContentTypeParsers();
  // Fastify refuses by itself a content type that it cannot parse. Raw routes take any, so theirs has another name until
  // the body is read; handlers see what was sent.
  instance.addHook('preParsing', async (request) => {
    if (isRaw(request) && request.headers['content-type'] !== undefined) request.headers = ANY_BYTES;
  });
  instance.addHook('preValidation', (request, _reply, done) => {
    if (isRaw(request)) request.headers = {};
    done();
  });
  const parse = (json: boolean) => async (request: BodyRequest, bytes: Buffer) => {
    Object.assign(request, { rawBody: bytes });
    return parseBody(request, bytes, json);
  };
  app.useBodyParser('application/json', { bodyLimit: limitBytes }, parse(true));
  app.useBodyParser('*', { bodyLimit: limitBytes }, parse(false));
}

function isRaw({ routeOptions }: Pick<BodyRequest, 'routeOptions'>): boolean {
  return rawBodyLimitOf(routeOptions.config) !== null;
}

function parseBody(request: BodyRequest, bytes: Buffer, json: boolean): unknown {
  // An unknown route answers 404 whatever was sent to it.
  if (request.is404) return undefined;
  const rawLimit = rawBodyLimitOf(request.routeOptions.config);
  if (rawLimit !== null) return rawBody(bytes, rawLimit);
  // Clients send a content type with an empty body on DELETE and on POST without arguments.
  if (bytes.length === 0) return undefined;
  if (!json) throw unsupported(request.headers['content-type']);
  refuseEncodings(request);
  const reading = readJson(bytes);
  if ('value' in reading) return reading.value;
  throw refusal(
    reading.problem.code === 'syntax' ? platformErrors.malformed_json : platformErrors.invalid,
    reading,
  );
}

function rawBody(bytes: Buffer, maxBytes: number): Buffer {
  if (bytes.length <= maxBytes) return bytes;
  throw tooLarge(maxBytes);
}

function refusal(
  type: ErrorType,
  { problem }: Extract<ReturnType<typeof readJson>, { problem: unknown }>,
): AppError {
  return new AppError(type, { detail: problem.message, problems: [problem] });
}

function refuseEncodings({ headers }: BodyRequest): void {
  const charset = CHARSET.exec(headers['content-type'] ?? '')?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')
    throw unsupported(headers['content-type']);
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return;
  throw new AppError(platformErrors.unsupported_media_type, {
    detail: `The content encoding "${encoding}" is not supported; send the body uncompressed.`,
  });
}

/** The 413 of a body with more than `maxBytes`. */
function tooLarge(maxBytes: number): AppError {
  return new AppError(platformErrors.too_large, {
    detail: `The body is larger than ${maxBytes} bytes.`,
    meta: { maxBytes },
  });
}

/** The 415 of a body that is not JSON in UTF-8. */
function unsupported(given: string | undefined): AppError {
  const what =
    given === undefined ? 'The body has no content type' : `The content type "${given}" is not supported`;
  return new AppError(platformErrors.unsupported_media_type, {
    detail: `${what}; send ${ACCEPTED_CONTENT_TYPES.join(' or ')} in UTF-8.`,
    meta: { accepted: ACCEPTED_CONTENT_TYPES },
  });
}
