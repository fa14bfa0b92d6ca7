import { Injectable } from '@nestjs/common';
import { Notifications } from '../db/listener';
import { statement } from '../db/statement';
import type { Tx } from '../db/tx';

/** Whose access may have changed: of a person (sessions included), of a key, or of everyone in a workspace. */
export type AccessSubject = `${'user' | 'api_key' | 'workspace'}:${string}`;

const CHANNEL = 'millrace_access';

/** Purpose: tells every process, at the commit, whose access may have changed. Locks: none. Rows: none. */
const notifyAccess = statement<[subject: AccessSubject], unknown>(
  'notify-access-change',
  `select pg_notify('${CHANNEL}', $1::text)`,
);

/**
 * Tells all processes that somebody may do less than before, so that what is open for them (streams) is looked at again
 * at once. A hint: whoever keeps something open also looks again by itself every few seconds.
 */
@Injectable()
export class AccessChanges {
  constructor(private readonly notifications: Notifications) {}

  /** In the transaction of the change: told if and only if it commits. */
  async announce(tx: Tx, subject: AccessSubject): Promise<void> {
    await tx.query(notifyAccess, subject);
  }

  /** Calls back with each subject, or null when some may have been missed. Returns the way to stop. */
  on(listener: (subject: string | null) => void): () => void {
    return this.notifications.listen(CHANNEL, listener);
  }
}
