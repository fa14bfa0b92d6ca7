import { createTransport } from 'nodemailer';
import type { Secret } from '../config/secret';
import { MailTransport, type OutgoingMail, SomeRefused } from './mail-transport.port';

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
    const { messageId, from, to, subject, text, html, replyTo } = mail;
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
      to: [to, ...(mail.alsoTo ?? [])].map(asOneReader),
      cc: (mail.cc ?? []).map(asOneReader),
      bcc: (mail.bcc ?? []).map(asOneReader),
      ...(replyTo === undefined ? {} : { replyTo: asOneReader(replyTo) }),
      subject,
      ...(text === null ? {} : { text }),
      ...(html === null ? {} : { html }),
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    try {
      const info = await Promise.race([sending, timeout]);
      const refused = info.rejectedErrors ?? [];
      if (refused.length > 0) throw new SomeRefused(refused.map(({ message }) => message));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** As an object, an address is not parsed: it stays one reader whatever it looks like. */
function asOneReader(address: string): { readonly name: string; readonly address: string } {
  return { name: '', address };
}
