import { z } from 'zod';

/** How a request says who sends it. What is secret is best given by reference: `{{ secrets.NAME }}`. */
export const authSchema = z
  .union([
    z.strictObject({
      basic: z.strictObject({
        // A colon ends the name, wherever it stands.
        username: z.string().regex(/^[^:]*$/, { error: 'must not contain a colon' }),
        password: z.string(),
      }),
    }),
    z.strictObject({ bearer: z.string().min(1).describe('The token alone, without the word Bearer.') }),
  ])
  .describe('Sent as Authorization, and not to another origin after a redirect.');

/** The value of the header, in UTF-8 as RFC 7617 lets a client choose. */
export function authorizationOf(auth: z.output<typeof authSchema>): string {
  if ('bearer' in auth) return `Bearer ${auth.bearer}`;
  const { username, password } = auth.basic;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
