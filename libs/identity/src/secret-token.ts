const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * Whether a text can be a token of `Random.token()`: 32 bytes in base64url. Spares the database what cannot match.
 *
 * Of every such secret only the SHA-256 is stored. With 256 random bits there is nothing to guess, so a slow hash would
 * only cost; and as a caller cannot steer the hash, the timing of its index probe tells nothing.
 */
export function isSecretToken(text: string): boolean {
  return TOKEN.test(text);
}
