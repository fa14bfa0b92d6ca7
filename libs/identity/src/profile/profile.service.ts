import { Injectable } from '@nestjs/common';
import { AppError, Clock, Config, Db, platformErrors } from '#platform';
import { acceptTerms, findAcceptance } from '../users/terms.sql';
import { refuseOtherTerms } from '../users/terms-in-force';
import { renameUser } from '../users/user.sql';
import { toUserView, type UserView } from '../users/users.dto';
import type { TermsView } from './me.dto';

/** What people tell of themselves. Each change writes its own column alone, so that none undoes another. */
@Injectable()
export class Profile {
  constructor(
    private readonly db: Db,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  async rename(userId: string, name: string): Promise<UserView> {
    const [user] = await this.db.executeControl(renameUser, userId, name, this.clock.pinned());
    if (!user) throw accountGone();
    return toUserView(user);
  }

  /** The version of the terms in force, and whether and when this person accepted it. */
  async terms(userId: string): Promise<TermsView> {
    const current = this.config.values.termsVersion;
    const [found] = await this.db.executeControl(findAcceptance, userId, current);
    return { current, acceptedAt: found?.acceptedAt.toISOString() ?? null };
  }

  /** Records that a person accepts the version in force, and no other. A second time changes nothing. */
  async acceptTerms(userId: string, version: string): Promise<TermsView> {
    refuseOtherTerms(this.config, version, '/version');
    await this.db.executeControl(acceptTerms, userId, version, this.clock.pinned());
    return this.terms(userId);
  }
}

/** The 401 of a session whose account was deleted while it was asking. */
export function accountGone(): AppError {
  return new AppError(platformErrors.unauthenticated, { detail: 'This account does not exist any more.' });
}
