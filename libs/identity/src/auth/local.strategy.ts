import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';
import { Credentials } from '../users/credentials.service';

/** Whom e-mail and password belong to. */
export interface CheckedUser {
  readonly userId: string;
}

/** Passport's `local`: e-mail address and password in the body. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy, 'local') {
  constructor(private readonly credentials: Credentials) {
    super({ usernameField: 'email', passwordField: 'password' });
  }

  async validate(email: string, password: string): Promise<CheckedUser | null> {
    const userId = await this.credentials.check(email.trim(), password);
    return userId === null ? null : { userId };
  }
}
