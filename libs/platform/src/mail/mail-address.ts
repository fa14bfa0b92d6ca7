import { z } from 'zod';

/** RFC 5321: longer paths are not accepted by mail servers. */
const MAX_ADDRESS_LENGTH = 254;

const address = z.email().max(MAX_ADDRESS_LENGTH);

/** An address in a request's body, as people type it. */
export const emailAddress = z
  .string()
  .trim()
  .max(MAX_ADDRESS_LENGTH, `must have at most ${MAX_ADDRESS_LENGTH} characters`)
  .pipe(z.email('must be an e-mail address, like name@example.com'));

/** Whether a text is one plain mail address: no display name, no list, no comment, nothing a header could break on. */
export function isMailAddress(text: string): boolean {
  return address.safeParse(text).success;
}

/** The part after the @ of a sender such as `Millrace <no-reply@example.com>`; `localhost` where there is none. */
export function domainOf(sender: string): string {
  return /@([\w.-]+)>?\s*$/.exec(sender)?.[1] ?? 'localhost';
}
