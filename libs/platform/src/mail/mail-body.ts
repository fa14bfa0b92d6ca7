import { z } from 'zod';
import { Keys } from '../crypto/keys';
import { SecretBox } from '../crypto/secret-box';
import { Random } from '../ids/random';
import { Injectable } from '@nestjs/common';

const addresses = z.array(z.string()).readonly().optional();

// What a mail does not have is left out: processes of the release before know nothing of the further readers.
const bodySchema = z.strictObject({
  text: z.string().nullable(),
  html: z.string().nullable(),
  alsoTo: addresses,
  cc: addresses,
  bcc: addresses,
  replyTo: z.string().optional(),
});

/** What a mail says, and who reads it beside its first reader. */
export type MailBody = Readonly<z.output<typeof bodySchema>>;

/** Mail bodies hold links that sign people in, so they lie in the database sealed, each for its own row. */
@Injectable()
export class MailBodies {
  readonly #box: SecretBox;

  constructor(keys: Keys, random: Random) {
    this.#box = new SecretBox(keys.derive('mail'), random);
  }

  seal(mailId: string, body: MailBody): Buffer {
    return this.#box.seal(JSON.stringify(body), `mail:${mailId}`);
  }

  /** Throws SecretBoxError for a body that was sealed for another mail or with another key. */
  open(mailId: string, sealed: Buffer): MailBody {
    return bodySchema.parse(JSON.parse(this.#box.open(sealed, `mail:${mailId}`)));
  }
}
