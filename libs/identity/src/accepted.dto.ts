import { z } from 'zod';
import { emailAddress } from '#platform';

/** An address that something is asked for: whose it is, is nobody's business. */
export const addressBody = z.strictObject({ email: emailAddress }).meta({ id: 'EmailAddress' });

/** The answer to whoever must not learn whether there was anything to do. */
export const accepted = z
  .object({ message: z.string().describe('The same whether there is such an account or not.') })
  .meta({ id: 'Accepted' });

export type Accepted = Readonly<z.output<typeof accepted>>;
