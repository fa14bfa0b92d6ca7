import { type Random, sha256 } from '#platform';

const CODES = 10;
/** 80 bits a code: far more than anybody can try, so a fast hash is enough to store them by (`isSecretToken`). */
const CODE_BYTES = 10;
const CODE = /^[0-9a-f]{20}$/;

/** Ten new codes, as they are shown once: hexadecimal digits in groups of five. */
export function newRecoveryCodes(random: Random): readonly string[] {
  return Array.from({ length: CODES }, () => {
    const digits = random.bytes(CODE_BYTES).toString('hex');
    return digits.replace(/.{5}(?=.)/g, '$&-');
  });
}

/** Codes as people type them: letter case, blanks and hyphens do not count. */
export function plainCode(typed: string): string {
  return typed.replace(/[\s-]/g, '').toLowerCase();
}

/** Whether a plain text can be a recovery code. */
export function isRecoveryCode(plain: string): boolean {
  return CODE.test(plain);
}

/**
 * What is stored of a code. It is looked up by this hash, which whoever guesses cannot steer: the time of the index
 * probe tells nothing, so there is nothing to compare in constant time.
 */
export function recoveryCodeHash(code: string): Buffer {
  return sha256(plainCode(code));
}
