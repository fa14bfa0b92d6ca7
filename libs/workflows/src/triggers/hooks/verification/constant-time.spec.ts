import type Crypto from 'node:crypto';
import { createRequire } from 'node:module';
import { Keys, parseConfig } from '#platform';
import { HookUrls } from '../hook-token';
import { refusedCredentials } from './credentials';
import { signedHeaders } from './sign';
import { verify } from './verify';

/** The very object that the product calls: an import here would be a copy of it. */
const crypto = createRequire(__filename)('node:crypto') as typeof Crypto;

/** How often secrets were compared, and whether each comparison took its whole time. */
function comparisonsOf(work: () => unknown): number {
  const compared = jest.spyOn(crypto, 'timingSafeEqual');
  try {
    work();
    for (const [one, other] of compared.mock.calls)
      expect([one.byteLength, other.byteLength]).toEqual([32, 32]);
    return compared.mock.calls.length;
  } finally {
    compared.mockRestore();
  }
}

// Seen to fail, each of them, with `===` or `Buffer.equals` in its place.
describe('secrets are compared in a time that tells nothing', () => {
  it('those in addresses', () => {
    const urls = new HookUrls(new Keys(Buffer.alloc(32, 7)), parseConfig({}));
    const hook = {
      workspaceId: '0198c0de-0000-7000-8000-000000000001',
      hookId: '0198c0de-0000-7000-8000-000000000002',
    };
    const parsed = urls.parse(urls.tokenOf({ ...hook, generation: 4 }));
    if (!parsed) throw new Error('It is a token.');
    expect(comparisonsOf(() => urls.distance(parsed, 4))).toBe(1);
    expect(comparisonsOf(() => urls.distance(parsed, 9))).toBe(3);
  });

  it('signatures: each with each secret, whether one before it was right or not', () => {
    const body = Buffer.from('{}');
    const stripe = { preset: 'stripe', toleranceSeconds: 300 } as const;
    const headers = signedHeaders(stripe, { secret: 'first', body, id: '', seconds: 1_000 }) ?? {};
    const several = { 'stripe-signature': `${headers['stripe-signature']},v1=00,v1=${'ab'.repeat(32)}` };
    const secrets = ['first', 'second'];
    const judge = () => verify(stripe, { headers: several, body }, { secrets, nowMs: 1_000_000 });
    expect(judge().ok).toBe(true);
    expect(comparisonsOf(judge)).toBe(6);
  });

  it('passwords and tokens', () => {
    const shown = { headers: { authorization: 'Bearer first' } };
    const judge = () => refusedCredentials({ scheme: 'bearer' }, shown, ['first', 'second']);
    expect(judge()).toBeNull();
    expect(comparisonsOf(judge)).toBe(2);
    expect(comparisonsOf(() => refusedCredentials({ scheme: 'bearer' }, { headers: {} }, ['first']))).toBe(1);
  });
});
