import { createTransport } from 'nodemailer';
import type { Secret } from '../config/secret';
import { MailTransport, type OutgoingMail } from './mail-transport.port';

/** A whole delivery must end within this, or the lease of its row would run out under it. */
const SEND_TIMEOUT_MS = 60_000;

/** Hands mails to the server of SMTP_URL, one connection each. STARTTLS is used where the server offers it. */
export class SmtpTransport extends MailTransport {
  readonly #transporter;

  constructor(
    url: Secret,
    private readonly sendTimeoutMs: number = SEND_TIMEOUT_MS,
  ) {
    super();
    this.#transporter = createTransport({
      url: url.reveal(),
      connectionTimeout: 10_000,
      greetingTimeout: 10_000,
      socketTimeout: 20_000,
      // Bodies are ours, but nothing in them may ever make the mailer read a file or call a URL.
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  async send(mail: OutgoingMail): Promise<void> {
    const { messageId, from, to, subject, text, html } = mail;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`The mail server did not take the mail within ${this.sendTimeoutMs} ms.`)),
        this.sendTimeoutMs,
      );
    });
    const sending = this.#transporter.sendMail({
      messageId,
      from,
      // As an object, the address is not parsed: it stays one recipient whatever it looks like.
      to: { name: '', address: to },
      subject,
      text,
      ...(html === null ? {} : { html }),
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    try {
      await Promise.race([sending, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}
