import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport-local';
import { clientOf } from '#platform';
import { type CheckedUser, Credentials } from '../users/credentials.service';

/** Passport's `local`: e-mail address and password in the body. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy, 'local') {
  constructor(private readonly credentials: Credentials) {
    super({ usernameField: 'email', passwordField: 'password', passReqToCallback: true });
  }

  validate(request: FastifyRequest, email: string, password: string): Promise<CheckedUser | null> {
    return this.credentials.check(email.trim(), password, clientOf(request));
  }
}
