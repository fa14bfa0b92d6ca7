import { Injectable } from '@nestjs/common';
import { AppError, Clock, Config, Db, Ids } from '#platform';
import { identityErrors } from '../errors';
import { joinWaitlist } from './waitlist.sql';

/** Addresses of people who would like an account where sign-up is closed. */
@Injectable()
export class Waitlist {
  constructor(
    private readonly db: Db,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** Keeps an address once, however often it is given. Throws identity.waitlist_closed unless there is a list. */
  async join(email: string): Promise<void> {
    const { signupMode } = this.config.values;
    if (signupMode !== 'waitlist') throw closed(signupMode);
    await this.db.executeControl(joinWaitlist, this.ids.next(), email, this.clock.pinned());
  }
}

function closed(signupMode: 'open' | 'invite'): AppError {
  const instead = { open: 'Sign up at once.', invite: 'Ask a member to invite you.' }[signupMode];
  return new AppError(identityErrors.waitlist_closed, {
    detail: `This installation has no waiting list. ${instead}`,
  });
}
