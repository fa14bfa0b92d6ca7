import { Injectable } from '@nestjs/common';
import { Clock, Db, type LoopDuty, type LoopResult } from '#platform';
import { closeExpiredInvitations } from './invitation.sql';

const BATCH_ROWS = 1_000;

/** Closes invitations that have expired. They are over the moment they expire: this keeps the indexes of open ones small. */
@Injectable()
export class InvitationExpiry implements LoopDuty {
  readonly name = 'invitation-expiry';
  readonly role = 'scheduler';
  readonly everyMs = 10 * 60_000;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  async runOnce(): Promise<LoopResult> {
    const { length } = await this.db.executeControl(closeExpiredInvitations, BATCH_ROWS, this.clock.pinned());
    return { rows: length, again: length === BATCH_ROWS };
  }
}
