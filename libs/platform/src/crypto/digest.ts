import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 of a token: what is stored instead of it. Enough for tokens of full entropy, never for passwords. */
export function sha256(token: string | Buffer): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Compares two secrets in a time that tells nothing of where they differ; unequal lengths are just unequal. */
export function constantTimeEqual(one: string | Buffer, other: string | Buffer): boolean {
  // The comparison wants equal lengths: digests have them, and differ whenever the secrets do.
  return timingSafeEqual(sha256(one), sha256(other));
}
