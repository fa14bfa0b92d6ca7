import { Injectable } from '@nestjs/common';
import { AppError, Db, platformErrors } from '#platform';
import { type NewSession, Sessions, type StartedSession } from '../sessions/sessions.service';
import { toUserView, type UserView } from '../users/users.dto';
import { UsersRepository } from '../users/users.repository';

/** Begins a session for someone whose credentials have been checked. */
@Injectable()
export class SignIn {
  constructor(
    private readonly db: Db,
    private readonly users: UsersRepository,
    private readonly sessions: Sessions,
  ) {}

  async signIn(session: NewSession): Promise<{ readonly user: UserView; readonly session: StartedSession }> {
    return this.db.control(async (tx) => {
      const user = await this.users.byId(tx, session.userId);
      // The account went away between the check of the password and now.
      if (!user) throw new AppError(platformErrors.unauthenticated, { detail: 'There is no such account.' });
      return { user: toUserView(user), session: await this.sessions.start(tx, session) };
    });
  }
}
