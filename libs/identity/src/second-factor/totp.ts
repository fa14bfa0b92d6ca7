import { generateURI, ScureBase32Plugin, verifySync } from 'otplib';
import type { Random } from '#platform';

/** What RFC 4226 asks of a secret for SHA-1. */
const SECRET_BYTES = 20;
const STEP_SECONDS = 30;
const ISSUER = 'Millrace';
const CODE = /^\d{6}$/;

/** A new secret in Base32, as authenticator apps take it. */
export function newTotpSecret(random: Random): string {
  return new ScureBase32Plugin().encode(random.bytes(SECRET_BYTES));
}

/** The `otpauth://` address of a secret, which a dashboard shows as a QR code. */
export function otpauthUrlOf(secret: string, email: string): string {
  return generateURI({ issuer: ISSUER, label: email, secret });
}

/** Whether a text can be a code of an authenticator app. */
function isTotpCode(text: string): boolean {
  return CODE.test(text);
}

/**
 * The time step that a code belongs to, null when it is wrong. A step before and after the present one is good as well:
 * clocks differ, and people type slowly. Whether the step was used already is for the database to say.
 */
export function stepOfCode(secret: string, code: string, now: Date): number | null {
  if (!isTotpCode(code)) return null;
  const epoch = Math.floor(now.getTime() / 1000);
  const result = verifySync({ secret, token: code, epoch, epochTolerance: STEP_SECONDS });
  return result.valid && 'timeStep' in result ? result.timeStep : null;
}
