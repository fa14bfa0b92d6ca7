import { HttpException } from '@nestjs/common';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { ACCEPTED_CONTENT_TYPES } from './body-parser';
import { type Fault, statusOf, typeOfStatus } from './problem';

/** Without a better figure: long enough not to hammer, short enough not to be noticed. */
const RETRY_AFTER_SECONDS = 2;

/** What to answer to a thrown value. Nothing of an unexpected one is told: it goes to the log. */
export function faultOf(thrown: unknown): Fault {
  if (thrown instanceof AppError) return thrown.type.kind === 'bug' ? INTERNAL : faultOfAppError(thrown);
  if (thrown instanceof HttpException) return faultOfStatus(thrown.getStatus(), thrown.message);
  const status = clientStatusOf(thrown);
  return status === null ? INTERNAL : faultOfStatus(status, (thrown as Error).message);
}

/** The 405 of a path that answers other methods. */
export function methodNotAllowed(method: string, allowed: readonly string[]): Fault {
  const list = allowed.join(', ');
  return {
    status: 405,
    ...typeOfStatus(405),
    detail: `This resource does not answer ${method}; it answers ${list}.`,
    headers: { allow: list },
  };
}

const INTERNAL: Fault = {
  status: 500,
  code: platformErrors.internal.code,
  title: platformErrors.internal.title,
  detail:
    'The request failed on our side and was logged under this requestId. Nothing is wrong with what you sent.',
};

function faultOfAppError({ type, context }: AppError): Fault {
  const status = statusOf(type.kind);
  return {
    status,
    code: type.code,
    title: type.title,
    detail: context.detail,
    ...(context.problems ? { problems: context.problems } : {}),
    ...(context.meta ? { meta: context.meta } : {}),
    headers: headersOf(status, context.retryAfterSeconds),
  };
}

function faultOfStatus(status: number, message: string): Fault {
  if (status >= 500 && status !== 503) return INTERNAL;
  const { code, title } = typeOfStatus(status);
  return { status, code, title, detail: detailOf(status, message), headers: headersOf(status, undefined) };
}

/** The frameworks' own sentences name their functions and options; these say what to do instead. */
function detailOf(status: number, message: string): string {
  if (status === 404) return 'There is nothing at this address.';
  if (status === 413) return 'The body is larger than this server accepts.';
  if (status === 415)
    return `The content type is not supported; send ${ACCEPTED_CONTENT_TYPES.join(' or ')} in UTF-8.`;
  if (status === 503) return 'The server is not available at the moment; try again shortly.';
  return message;
}

function headersOf(status: number, retryAfterSeconds: number | undefined): Readonly<Record<string, string>> {
  if (status === 401) return { 'www-authenticate': 'Bearer realm="millrace"' };
  if (status === 415) return { accept: ACCEPTED_CONTENT_TYPES.join(', ') };
  if (status !== 429 && status !== 503) return {};
  return { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSeconds ?? RETRY_AFTER_SECONDS))) };
}

/** Fastify and its plugins mark errors that are the caller's fault with a 4xx `statusCode`. */
function clientStatusOf(thrown: unknown): number | null {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return null;
  const { statusCode } = thrown;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : null;
}
