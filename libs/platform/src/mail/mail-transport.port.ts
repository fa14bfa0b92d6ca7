/** A mail as it leaves the house. */
export interface OutgoingMail {
  /** The same for every attempt of one mail, so that a mailbox can recognise a repetition. */
  readonly messageId: string;
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string | null;
}

/** Port: hands a mail over. Resolves once the other side is responsible for it, rejects with a reason otherwise. */
export abstract class MailTransport {
  abstract send(mail: OutgoingMail): Promise<void>;
}
