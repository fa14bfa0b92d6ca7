import type { ErrorKind, ErrorType, Problem } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** An RFC 9457 problem document. Meta members of the error stand beside these. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly instance: string;
  readonly requestId: string;
  readonly errors?: readonly Problem[];
  readonly [meta: string]: unknown;
}

/** An answer that is an error: what the filter makes of whatever was thrown. */
export interface Fault {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly problems?: readonly Problem[];
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The only place that knows which HTTP status a kind of error has. */
export function statusOf(kind: ErrorKind): number {
  switch (kind) {
    case 'invalid':
      return 400;
    case 'unauthenticated':
      return 401;
    case 'forbidden':
      return 403;
    case 'not_found':
      return 404;
    case 'conflict':
      return 409;
    case 'gone':
      return 410;
    case 'precondition_failed':
      return 412;
    case 'too_large':
      return 413;
    case 'unsupported_media_type':
      return 415;
    case 'unprocessable':
      return 422;
    case 'limit':
      return 429;
    case 'unavailable':
      return 503;
    case 'bug':
      return 500;
    default:
      return kind satisfies never;
  }
}

/** Types for statuses that come from Nest and Fastify, which know no codes of ours. */
const BY_STATUS: Readonly<Record<number, Pick<ErrorType, 'code' | 'title'>>> = {
  400: platformErrors.invalid,
  401: platformErrors.unauthenticated,
  403: platformErrors.forbidden,
  404: platformErrors.not_found,
  405: { code: 'request.method_not_allowed', title: 'The resource does not answer this method' },
  406: { code: 'request.not_acceptable', title: 'No answer in an accepted format' },
  408: { code: 'request.timeout', title: 'The request took too long' },
  409: platformErrors.conflict,
  412: platformErrors.precondition_failed,
  413: platformErrors.too_large,
  414: { code: 'request.uri_too_long', title: 'The URL is too long' },
  415: platformErrors.unsupported_media_type,
  429: platformErrors.too_many,
  431: { code: 'request.headers_too_large', title: 'The headers are too large' },
  503: platformErrors.unavailable,
};

/** Code and title for a status without a catalogued error. */
export function typeOfStatus(status: number): Pick<ErrorType, 'code' | 'title'> {
  const known = BY_STATUS[status];
  if (known) return known;
  return status >= 500 ? platformErrors.internal : platformErrors.invalid;
}

/** Writes the document of a fault. Own members win over meta members of the same name. */
export function problemDocument(fault: Fault, path: string, requestId: string): ProblemDocument {
  return {
    ...fault.meta,
    type: `/problems/${fault.code}`,
    title: fault.title,
    status: fault.status,
    detail: fault.detail,
    code: fault.code,
    instance: path,
    requestId,
    ...(fault.problems ? { errors: fault.problems } : {}),
  };
}
