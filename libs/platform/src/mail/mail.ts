import { Injectable } from '@nestjs/common';
import type { Tx } from '../db/tx';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { Hints } from '../events/hints';
import { Ids } from '../ids/ids';
import { Clock } from '../time/clock';
import { mailQueued } from './events';
import { isMailAddress } from './mail-address';
import { MailBodies } from './mail-body';
import { enqueueMail } from './mail-outbox.sql';

const MAX_SUBJECT_LENGTH = 500;

/** A mail to send: `text` is what people read, `html` the same for those who prefer it. */
export interface MailToSend {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

/**
 * Sends mails by way of an outbox: the mail is a row in the caller's transaction, so it is sent if and only if the
 * transaction commits. Delivery is at least once; a repetition has the same Message-ID.
 */
@Injectable()
export class Mail {
  constructor(
    private readonly ids: Ids,
    private readonly clock: Clock,
    private readonly hints: Hints,
    private readonly bodies: MailBodies,
  ) {}

  /**
   * Puts a mail into the outbox and returns its id. Works in transactions of a tenant, too. Throws request.invalid for
   * what is not one address, or a subject with control characters (it could carry further headers).
   */
  async enqueue(tx: Tx, mail: MailToSend): Promise<string> {
    const { to, subject, text, html = null } = mail;
    assertAddress(to);
    assertSubject(subject);
    const id = this.ids.next();
    await tx.query(enqueueMail, id, to, subject, this.bodies.seal(id, { text, html }), this.clock.pinned());
    this.hints.afterCommit(tx, mailQueued, null);
    return id;
  }
}

function assertAddress(to: string): void {
  if (isMailAddress(to)) return;
  throw new AppError(platformErrors.invalid, {
    detail: `${shown(to)} is not a mail address: give one address like name@example.com.`,
  });
}

function assertSubject(subject: string): void {
  const isTooLong = subject.length > MAX_SUBJECT_LENGTH;
  if (subject.length > 0 && !isTooLong && !/\p{Cc}|\u2028|\u2029/u.test(subject)) return;
  throw new AppError(platformErrors.invalid, {
    detail: `${shown(subject)} cannot be the subject of a mail: give 1 to ${MAX_SUBJECT_LENGTH} characters on one line.`,
  });
}

function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
