import { Injectable } from '@nestjs/common';
import { Clock } from '../time/clock';
import { MailTransport, type OutgoingMail } from './mail-transport.port';

/** Enough to find the mail one is waiting for; older ones make room. */
const KEPT_MAILS = 200;

/** A mail the developer's mailbox holds. */
export interface ReceivedMail extends OutgoingMail {
  readonly receivedAt: Date;
}

/** Where mails go while no SMTP_URL is set, in development: into the memory of the process, to be read at /dev/mail. */
@Injectable()
export class DevMailbox extends MailTransport {
  readonly #mails: ReceivedMail[] = [];

  constructor(private readonly clock: Clock) {
    super();
  }

  async send(mail: OutgoingMail): Promise<void> {
    this.#mails.unshift({ ...mail, receivedAt: this.clock.now() });
    this.#mails.splice(KEPT_MAILS);
  }

  /** What has arrived, newest first. */
  mails(): readonly ReceivedMail[] {
    return [...this.#mails];
  }
}
