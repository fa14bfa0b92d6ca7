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
import type { MailReaders } from './mail-transport.port';
import { enqueueMail, enqueueMailOnce, findMailByKey } from './mail-outbox.sql';

const MAX_SUBJECT_LENGTH = 500;

/** A mail to send: `text` is what people read, `html` the same for those who prefer it. One of them is enough. */
export interface MailToSend extends MailReaders {
  readonly to: string;
  readonly subject: string;
  readonly text?: string | undefined;
  readonly html?: string | undefined;
}

/** A mail in the outbox. */
export interface QueuedMail {
  readonly id: string;
  /** False: it was there already. */
  readonly isNew: boolean;
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
    const { id, body } = this.#sealed(mail);
    await tx.query(enqueueMail, id, mail.to, mail.subject, body, this.clock.pinned());
    this.hints.afterCommit(tx, mailQueued, null);
    return id;
  }

  /**
   * Like `enqueue`, but of several mails with one key the first alone is sent, whoever queues them and when. Works in
   * transactions of the owner alone.
   */
  async enqueueOnce(tx: Tx, key: string, mail: MailToSend): Promise<QueuedMail> {
    const { id, body } = this.#sealed(mail);
    const params = [id, mail.to, mail.subject, body, key, this.clock.pinned()] as const;
    const [queued] = await tx.query(enqueueMailOnce, ...params);
    if (!queued) {
      const [earlier] = await tx.query(findMailByKey, key);
      if (!earlier) throw new Error('The mail of this key vanished while it was looked for.');
      return { id: earlier.id, isNew: false };
    }
    this.hints.afterCommit(tx, mailQueued, null);
    return { id, isNew: true };
  }

  #sealed(mail: MailToSend): { readonly id: string; readonly body: Buffer } {
    const { to, subject, text = null, html = null, alsoTo = [], cc = [], bcc = [], replyTo } = mail;
    for (const address of [to, ...alsoTo, ...cc, ...bcc]) assertAddress(address);
    if (replyTo !== undefined) assertAddress(replyTo);
    assertSubject(subject);
    if (text === null && html === null) throw new Error('A mail needs a text or an HTML.');
    const id = this.ids.next();
    const readers = {
      ...(alsoTo.length > 0 && { alsoTo }),
      ...(cc.length > 0 && { cc }),
      ...(bcc.length > 0 && { bcc }),
      ...(replyTo !== undefined && { replyTo }),
    };
    return { id, body: this.bodies.seal(id, { text, html, ...readers }) };
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
