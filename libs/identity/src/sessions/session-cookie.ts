import type { FastifyReply, FastifyRequest } from 'fastify';
import { Injectable } from '@nestjs/common';
import { Config } from '#platform';
import type { StartedSession } from './sessions.service';

/** The cookie that carries a browser's session token. */
export const SESSION_COOKIE = 'millrace_session';

/** A cookie's value may not hold `;`, and the first of several cookies of one name is the one with the longest path. */
const VALUE = new RegExp(`(?:^|;)\\s*${SESSION_COOKIE}=([^;\\s]*)`);

/** The token in a request's cookie, null when there is none. */
export function sessionCookieOf(request: Pick<FastifyRequest, 'headers'>): string | null {
  return VALUE.exec(request.headers.cookie ?? '')?.[1] ?? null;
}

/**
 * Hands the session token to browsers: out of reach of scripts, not sent along with requests that other sites make
 * (but links to us work), and over TLS only where the installation is reached by TLS.
 */
@Injectable()
export class SessionCookie {
  constructor(private readonly config: Config) {}

  set(reply: Pick<FastifyReply, 'header'>, session: StartedSession): void {
    reply.header('set-cookie', this.#cookie(session.token, session.expiresAt));
  }

  clear(reply: Pick<FastifyReply, 'header'>): void {
    reply.header('set-cookie', this.#cookie('', new Date(0)));
  }

  #cookie(value: string, expires: Date): string {
    const secure = this.config.values.publicUrl?.startsWith('https:') ? '; Secure' : '';
    const lifetime = `Expires=${expires.toUTCString()}`;
    return `${SESSION_COOKIE}=${value}; Path=/; ${lifetime}; HttpOnly; SameSite=Lax${secure}`;
  }
}
