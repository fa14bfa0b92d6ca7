import { Keys } from '../crypto/keys';
import { Hints } from '../events/hints';
import { UuidV7Ids } from '../ids/ids';
import { SystemRandom } from '../ids/random';
import { Mail } from '../mail/mail';
import { type MailBody, MailBodies } from '../mail/mail-body';
import { SystemClock } from '../time/clock';

/** A way into the outbox without an application around it, and the key to what lies there. */
export function testMail(): {
  readonly mail: Mail;
  open(mailId: string, sealed: Buffer): MailBody;
} {
  const random = new SystemRandom();
  const clock = new SystemClock();
  const bodies = new MailBodies(new Keys(Buffer.alloc(32, 7)), random);
  return {
    mail: new Mail(new UuidV7Ids(clock, random), clock, new Hints(), bodies),
    open: (mailId, sealed) => bodies.open(mailId, sealed),
  };
}
