import { generateSync } from 'otplib';
import { SystemRandom } from '#platform';
import { isRecoveryCode, newRecoveryCodes, plainCode, recoveryCodeHash } from './recovery-codes';
import { newTotpSecret, otpauthUrlOf, stepOfCode } from './totp';

const NOW = new Date('2026-01-05T12:00:10Z');
const EPOCH = NOW.getTime() / 1000;
const random = new SystemRandom();

describe('A code of an authenticator app', () => {
  const secret = newTotpSecret(random);
  const codeAt = (epoch: number) => generateSync({ secret, epoch });

  it('is the code of RFC 6238', () => {
    // Appendix B: the secret "12345678901234567890" at 1111111109 gives 07081804, of which six digits are left.
    const rfc = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    expect(stepOfCode(rfc, '081804', new Date(1_111_111_109_000))).toBe(37_037_036);
  });

  it.each([
    ['of the present step', 0, 0],
    ['of the step before', -30, -1],
    ['of the step after', 30, 1],
  ])('is right %s, and says which step it was', (_, seconds, steps) => {
    expect(stepOfCode(secret, codeAt(EPOCH + seconds), NOW)).toBe(Math.floor(EPOCH / 30) + steps);
  });

  it.each([-90, -60, 60, 90])('is wrong %d seconds away', (seconds) => {
    expect(stepOfCode(secret, codeAt(EPOCH + seconds), NOW)).toBeNull();
  });

  it.each(['', '12345', '1234567', 'abcdef', '１２３４５６', '12 456', '-12345'])(
    'is not %j, which is refused without a fault',
    (text) => expect(stepOfCode(secret, text, NOW)).toBeNull(),
  );

  it('comes from a secret of 160 bits, whose address apps can read', () => {
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(newTotpSecret(random)).not.toBe(secret);
    const url = new URL(otpauthUrlOf(secret, 'ada+x@example.com'));
    expect(url.protocol).toBe('otpauth:');
    expect(decodeURIComponent(url.pathname)).toBe('/Millrace:ada+x@example.com');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ secret, issuer: 'Millrace' });
  });
});

describe('Recovery codes', () => {
  it('are ten, all different, each of 80 bits', () => {
    const codes = newRecoveryCodes(random);
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^([0-9a-f]{5}-){3}[0-9a-f]{5}$/);
  });

  it('are taken as people type them', () => {
    const [code = ''] = newRecoveryCodes(random);
    for (const typed of [code, code.toUpperCase(), ` ${code.replaceAll('-', ' ')} `]) {
      expect(isRecoveryCode(plainCode(typed))).toBe(true);
      expect(recoveryCodeHash(typed)).toEqual(recoveryCodeHash(code));
    }
    expect(isRecoveryCode('123456')).toBe(false);
  });
});
