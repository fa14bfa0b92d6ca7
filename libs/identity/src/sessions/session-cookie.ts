import type { FastifyReply, FastifyRequest } from 'fastify';
import { Injectable } from '@nestjs/common';
import { Config } from '#platform';
import { cookieOf, setCookie } from '../cookie';
import type { StartedSession } from './sessions.service';

/** The cookie that carries a browser's session token. */
export const SESSION_COOKIE = 'millrace_session';

/** The token in a request's cookie, null when there is none. */
export function sessionCookieOf(request: Pick<FastifyRequest, 'headers'>): string | null {
  return cookieOf(request, SESSION_COOKIE);
}

/** Hands the session token to browsers. */
@Injectable()
export class SessionCookie {
  constructor(private readonly config: Config) {}

  set(reply: Pick<FastifyReply, 'header'>, { token, expiresAt }: StartedSession): void {
    this.#set(reply, token, expiresAt);
  }

  clear(reply: Pick<FastifyReply, 'header'>): void {
    this.#set(reply, '', new Date(0));
  }

  #set(reply: Pick<FastifyReply, 'header'>, value: string, expires: Date): void {
    setCookie(reply, this.config, { name: SESSION_COOKIE, value, path: '/', expires });
  }
}
