import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { UserPrincipal } from '#platform';
import { sessionCookieOf } from '../sessions/session-cookie';
import { Sessions } from '../sessions/sessions.service';
import { bearerOf, type CredentialHeaders } from './bearer';
import { RequestStrategy } from './request-strategy';

/**
 * Passport's `session`: a session token as a bearer, or in the cookie. Takes the place of passport's own strategy of
 * that name, which is for server-side session stores. An `Authorization` header wins: when it is wrong, a cookie that
 * the browser sent along does not make up for it.
 */
@Injectable()
export class SessionStrategy extends PassportStrategy(RequestStrategy, 'session') {
  constructor(private readonly sessions: Sessions) {
    super();
  }

  async validate(request: CredentialHeaders): Promise<UserPrincipal | null> {
    const via = request.headers.authorization === undefined ? 'cookie' : 'bearer';
    const token = via === 'bearer' ? bearerOf(request) : sessionCookieOf(request);
    const session = token === null ? null : await this.sessions.find(token);
    return session && { kind: 'user', ...session, via };
  }
}
