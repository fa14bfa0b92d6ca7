import type { Verification } from '../../../nodes/webhook-params';

const STANDARD_PREFIX = 'whsec_';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const HEX = /^(?:[0-9a-f]{2})+$/i;

/** The bytes that a secret's text stands for; null when it is no secret of that kind. */
export function signingKey(verification: Verification | undefined, secret: string): Buffer | null {
  switch (encodingOf(verification)) {
    case 'standard': {
      const text = secret.startsWith(STANDARD_PREFIX) ? secret.slice(STANDARD_PREFIX.length) : secret;
      return BASE64.test(text) ? Buffer.from(text, 'base64') : null;
    }
    case 'base64':
      return BASE64.test(secret) ? Buffer.from(secret, 'base64') : null;
    case 'hex':
      return HEX.test(secret) ? Buffer.from(secret, 'hex') : null;
    default:
      return secret === '' ? null : Buffer.from(secret);
  }
}

/** Random bytes as a secret of that kind is written. */
export function writtenSecret(verification: Verification | undefined, bytes: Buffer): string {
  switch (encodingOf(verification)) {
    case 'standard':
      return STANDARD_PREFIX + bytes.toString('base64');
    case 'base64':
      return bytes.toString('base64');
    case 'hex':
      return bytes.toString('hex');
    default:
      return bytes.toString('base64url');
  }
}

function encodingOf(verification: Verification | undefined): 'standard' | 'utf8' | 'hex' | 'base64' {
  if (verification?.preset === 'standard') return 'standard';
  return verification?.preset === 'custom' ? verification.secretEncoding : 'utf8';
}
