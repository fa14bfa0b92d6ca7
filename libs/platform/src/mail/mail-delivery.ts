import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Config } from '../config/config';
import { Db } from '../db/db';
import { Hints } from '../events/hints';
import { Logger } from '../log/logger';
import type { LoopDuty, LoopResult } from '../loops/loop-duty';
import { Loops } from '../loops/loops';
import { Clock } from '../time/clock';
import { mailQueued } from './events';
import { domainOf } from './mail-address';
import { MailBodies } from './mail-body';
import {
  claimDueMails,
  type ClaimedMail,
  recordMailFailed,
  recordMailRetry,
  recordMailSent,
} from './mail-outbox.sql';
import { mailRoute } from './mail-route';
import { MailTransport, SomeRefused } from './mail-transport.port';

/** Sent side by side, so that one slow delivery does not hold up the rest. */
const BATCH = 10;
/** Twice what a delivery may take: only a mail whose process died is claimed a second time. */
const LEASE_SECONDS = 120;
/** Pauses after the 1st, 2nd, … failed attempt; after the one beyond the list a mail has failed for good. */
const BACKOFF_MINUTES = [1, 5, 30, 120, 300, 600, 600] as const;
const MAX_ATTEMPTS = BACKOFF_MINUTES.length + 1;
const MAX_ERROR_LENGTH = 500;

/** Sends what lies in the outbox. No transaction is open while it talks to a mail server. */
@Injectable()
export class MailDelivery implements LoopDuty, OnModuleInit {
  readonly name = 'mail-outbox';
  readonly role = 'worker';
  /** A hint wakes the loop where the mail was queued in this process; elsewhere it is found by this sweep. */
  readonly everyMs = 2_000;

  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly transport: MailTransport,
    private readonly bodies: MailBodies,
    private readonly clock: Clock,
    private readonly loops: Loops,
    private readonly hints: Hints,
    private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    const log = this.logger.scoped('mail');
    const route = mailRoute(this.config);
    if (route === 'queue') {
      log.warn('SMTP_URL is not set: mails stay in the queue until it is.');
      return;
    }
    if (route === 'mailbox') {
      log.warn(
        'SMTP_URL is not set: mails are shown to anyone at /dev/mail. Set NODE_ENV=production to stop that.',
      );
    }
    const loop = this.loops.add(this);
    this.hints.on(mailQueued, () => loop.wake());
  }

  async runOnce(signal: AbortSignal): Promise<LoopResult> {
    signal.throwIfAborted();
    const claimed = await this.db.executeControl(claimDueMails, this.clock.pinned(), LEASE_SECONDS, BATCH);
    // All must have ended before the round does: a round that ends early would overlap with the next.
    const outcomes = await Promise.allSettled(claimed.map((mail) => this.#deliver(mail)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    return { rows: claimed.length, again: claimed.length === BATCH };
  }

  /** Rejects only when the outcome cannot be recorded; the lease then lets the mail be sent again. */
  async #deliver(mail: ClaimedMail): Promise<void> {
    let refused: string | null = null;
    try {
      // Only a process that died counts an attempt beyond the last: such a mail must not go round for ever.
      if (mail.attempts > MAX_ATTEMPTS) throw new Error('The process died while it sent this mail.');
      await this.#send(mail);
    } catch (error) {
      // What was sent to some must not be sent again for the sake of the others.
      if (!(error instanceof SomeRefused)) {
        await this.#recordFault(mail, error);
        return;
      }
      refused = storable(error.message);
      const readers = error.reasons.length;
      this.logger
        .scoped('mail', { mailId: mail.id, readers })
        .warn('The mail server refused some of the readers of a mail.');
    }
    await this.db.executeControl(recordMailSent, mail.id, refused, this.clock.pinned());
  }

  async #send(mail: ClaimedMail): Promise<void> {
    const from = this.config.values.mailFrom;
    const messageId = `<${mail.id}@${domainOf(from)}>`;
    const body = this.bodies.open(mail.id, mail.body);
    await this.transport.send({ messageId, from, to: mail.toAddress, subject: mail.subject, ...body });
  }

  async #recordFault({ id, attempts }: ClaimedMail, error: unknown): Promise<void> {
    const reason = storable(error instanceof Error ? error.message : String(error));
    const backoffMinutes = BACKOFF_MINUTES[attempts - 1];
    const log = this.logger.scoped('mail', { mailId: id, attempts, error });
    if (backoffMinutes === undefined) {
      log.error('A mail could not be sent and is given up.');
      await this.db.executeControl(recordMailFailed, id, attempts, reason);
      return;
    }
    log.warn('A mail could not be sent and will be tried again.', { backoffMinutes });
    await this.db.executeControl(
      recordMailRetry,
      id,
      attempts,
      reason,
      backoffMinutes * 60,
      this.clock.pinned(),
    );
  }
}

/** PostgreSQL's text holds no NUL, and mail servers say what they like. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '').slice(0, MAX_ERROR_LENGTH);
}
