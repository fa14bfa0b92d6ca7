import { z } from 'zod';
import { Keys } from '../crypto/keys';
import { SecretBox } from '../crypto/secret-box';
import { Random } from '../ids/random';
import { Injectable } from '@nestjs/common';

const bodySchema = z.strictObject({ text: z.string(), html: z.string().nullable() });

/** What a mail says. */
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
