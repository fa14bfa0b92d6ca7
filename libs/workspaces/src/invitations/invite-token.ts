import { sha256 } from '#platform';

/** What `Random.token()` gives: 32 bytes in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * What is stored of a token; null for a text that cannot be one, which spares the database the look. With 256 random
 * bits there is nothing to guess, so a fast hash is enough.
 */
export function inviteTokenHash(token: string): Buffer | null {
  return TOKEN.test(token) ? sha256(token) : null;
}
