import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AuthenticatedRequest } from '../auth/decorators';
import { principalKey } from '../auth/principal';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { isUuid } from '../ids/ids';
import type { IdempotencyKey } from './idempotency';

const HEADER = 'idempotency-key';
/** Printable ASCII, the form of a header value; the length is also a CHECK of the table. */
const KEY = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

/** What the decorator reads of a request. */
export type KeyedRequest = Pick<FastifyRequest, 'method' | 'url' | 'headers' | 'params' | 'body'> &
  AuthenticatedRequest;

/**
 * The `Idempotency-Key` of a request, null when there is none. On a route without a principal the header is ignored:
 * a key belongs to whoever sent it, and nobody did. Throws request.invalid for a key over 255 characters or not printable.
 */
export function idempotencyKeyOf(request: KeyedRequest): IdempotencyKey | null {
  const key = request.headers[HEADER];
  if (key === undefined || request.principal === undefined) return null;
  if (typeof key !== 'string' || !KEY.test(key)) throw refusedKey();
  const [path = '', query = ''] = request.url.split('?', 2);
  return {
    scope: `${principalKey(request.principal)} ${request.method} ${path}`,
    key,
    requestHash: createHash('sha256').update(query).update('\n').update(canonicalJson(request.body)).digest(),
    workspaceId: workspaceOf(request.params),
  };
}

/** Handler parameter: the request's `IdempotencyKey`, or null. Hand it to `Idempotency.once`. */
export const IdempotencyKeyOf = createParamDecorator(
  (_: unknown, context: ExecutionContext): IdempotencyKey | null =>
    idempotencyKeyOf(context.switchToHttp().getRequest<KeyedRequest>()),
);

function refusedKey(): AppError {
  const message = 'Idempotency-Key must be 1 to 255 printable ASCII characters, a UUID for example.';
  return new AppError(platformErrors.invalid, {
    detail: message,
    problems: [{ pointer: 'header Idempotency-Key', code: 'idempotency_key', message }],
  });
}

/** JSON with sorted keys: white space and the order of keys do not make another request. Bodies are at most 100 deep. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

function workspaceOf(params: unknown): string | null {
  if (typeof params !== 'object' || params === null || !('workspaceId' in params)) return null;
  return typeof params.workspaceId === 'string' && isUuid(params.workspaceId) ? params.workspaceId : null;
}
