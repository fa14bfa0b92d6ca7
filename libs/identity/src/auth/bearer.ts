import type { FastifyRequest } from 'fastify';

const BEARER = /^bearer +(\S+) *$/i;

/** What a strategy reads of a request. */
export type CredentialHeaders = Pick<FastifyRequest, 'headers'>;

/** The text after `Authorization: Bearer`, null for a request without it or with another scheme. */
export function bearerOf({ headers }: CredentialHeaders): string | null {
  return BEARER.exec(headers.authorization ?? '')?.[1] ?? null;
}
