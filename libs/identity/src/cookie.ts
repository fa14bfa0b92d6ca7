import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '#platform';

/** A cookie of ours. Its value may not hold `;` or blanks. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** The part of our addresses that gets to see it. */
  readonly path: string;
  /** In the past: the cookie is taken back. */
  readonly expires: Date;
}

/** The value of a request's cookie, null when there is none. Of several with one name the first has the longest path. */
export function cookieOf({ headers }: Pick<FastifyRequest, 'headers'>, name: string): string | null {
  const start = `${name}=`;
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(start))?.slice(start.length) ?? null;
}

/**
 * Gives a browser a cookie: out of reach of scripts, not sent along with requests that other sites make (but links to us
 * work), and over TLS only where the installation is reached by TLS.
 */
export function setCookie(
  reply: Pick<FastifyReply, 'header'>,
  { values }: Config,
  { name, value, path, expires }: Cookie,
): void {
  const secure = values.publicUrl?.startsWith('https:') ? '; Secure' : '';
  const lifetime = `Expires=${expires.toUTCString()}`;
  reply.header('set-cookie', `${name}=${value}; Path=${path}; ${lifetime}; HttpOnly; SameSite=Lax${secure}`);
}
