/** Readers beside the first one, and who is answered. Each is one plain address. */
export interface MailReaders {
  readonly alsoTo?: readonly string[] | undefined;
  readonly cc?: readonly string[] | undefined;
  /** Named in no header: the other readers do not learn of them. */
  readonly bcc?: readonly string[] | undefined;
  readonly replyTo?: string | undefined;
}

/** A mail as it leaves the house. It has a text, an HTML or both. */
export interface OutgoingMail extends MailReaders {
  /** The same for every attempt of one mail, so that a mailbox can recognise a repetition. */
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string | null;
  readonly html: string | null;
}

/** The other side is responsible for the mail, but not to all of its readers. To send it again would repeat it to the rest. */
export class SomeRefused extends Error {
  override readonly name = 'SomeRefused';

  constructor(readonly reasons: readonly string[]) {
    super(`Not sent to ${reasons.length} of the readers: ${reasons.join('; ')}`);
  }
}

/**
 * Port: hands a mail over. Resolves once the other side is responsible for it, rejects with `SomeRefused` when it is for
 * some of the readers alone, and with another reason when it is for none.
 */
export abstract class MailTransport {
  abstract send(mail: OutgoingMail): Promise<void>;
}
