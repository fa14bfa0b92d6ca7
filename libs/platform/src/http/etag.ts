import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';

/** The revision a caller believes to change; `any` overwrites whatever is there (`If-Match: *`). */
export type ExpectedRevision = number | 'any';

const TAG = /^"(0|[1-9]\d{0,14})"$/;

/** The `ETag` of an integer revision: `"7"`. */
export function etagOf(revision: number): string {
  return `"${revision}"`;
}

/**
 * Reads `If-Match`. Throws request.invalid when it is missing (there is no blind overwrite: say `*` to mean it), a weak
 * tag, a list, or not a tag of ours.
 */
export function expectedRevisionOf(header: string | undefined): ExpectedRevision {
  if (header === undefined)
    throw refused('if_match_required', 'is missing: send the ETag you have read, or "*"');
  const tag = header.trim();
  if (tag === '*') return 'any';
  if (tag.startsWith('W/')) throw refused('if_match_weak', 'is a weak tag, which cannot guard a change');
  const revision = TAG.exec(tag)?.[1];
  if (revision === undefined) throw refused('if_match', 'must be one ETag as this server gave it, like "7"');
  return Number(revision);
}

/** Handler parameter: the revision in `If-Match`. */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext): ExpectedRevision => {
  const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
  return expectedRevisionOf(headers['if-match']);
});

/** The 412 of a change to a revision that is no longer the current one. */
export function staleRevision(expected: ExpectedRevision, current: number): AppError {
  return new AppError(platformErrors.precondition_failed, {
    detail: `If-Match names revision ${expected}, but the current one is ${current}. Read it again and repeat your change.`,
    meta: { currentRevision: current },
  });
}

function refused(code: string, complaint: string): AppError {
  const message = `The header If-Match ${complaint}.`;
  return new AppError(platformErrors.invalid, {
    detail: message,
    problems: [{ pointer: 'header If-Match', code, message }],
  });
}
