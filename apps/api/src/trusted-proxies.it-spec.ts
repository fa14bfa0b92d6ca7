import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { parseConfig } from '#platform';
import { CollectingLogger, useTestDb } from '#platform/testing';
import { createApplication } from './application';

/** Of `sign-up-ip`, in an hour. */
const SIGN_UPS = 20;

describe('The address of a client', () => {
  const testDb = useTestDb();

  async function application(
    environment: Readonly<Record<string, string>> = {},
  ): Promise<NestFastifyApplication> {
    const app = await createApplication({
      config: parseConfig({ ROLES: 'api', DATABASE_POOL_SIZE: '2', ...environment }),
      databaseUrl: testDb().url,
      secretKey: Buffer.alloc(32, 7),
      logger: new CollectingLogger(),
    });
    testDb().beforeClose(() => app.close());
    await app.init();
    return app;
  }

  /** Where a request comes from, and what it says of where it comes from. */
  interface Hop {
    readonly from: string;
    readonly forwardedFor?: string;
  }

  const post =
    (app: NestFastifyApplication, { from, forwardedFor }: Hop, url: string) =>
    (payload: object) =>
      app.inject({
        method: 'POST',
        url,
        remoteAddress: from,
        headers: forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor },
        payload,
      });

  /** The address that a wrong sign-in is recorded with. */
  async function recordedIp(app: NestFastifyApplication, hop: Hop): Promise<string | undefined> {
    await testDb().sql('delete from rate_limits');
    await testDb().sql('delete from sign_in_attempts');
    const body = { email: 'nobody@example.com', password: 'wrong horse battery' };
    expect((await post(app, hop, '/v1/auth/sign-in')(body)).statusCode).toBe(401);
    const [row] = await testDb().sql<{ ip: string }>('select host(ip) as ip from sign_in_attempts');
    return row?.ip;
  }

  /** Statuses of sign-ups that lack something, so that only the limit tells them apart. */
  async function signUps(app: NestFastifyApplication, hops: readonly Hop[]): Promise<readonly number[]> {
    await testDb().sql('delete from rate_limits');
    const statuses: number[] = [];
    for (const [at, hop] of hops.entries()) {
      const answer = await post(app, hop, '/v1/auth/sign-up')({ email: `x-${at}@example.com` });
      statuses.push(answer.statusCode);
    }
    return statuses;
  }

  const exhausted = [...Array<number>(SIGN_UPS).fill(400), 429];

  it('is that of the connection where no proxy is trusted, whatever a header says', async () => {
    const app = await application();
    const from = '203.0.113.9';
    expect(await recordedIp(app, { from, forwardedFor: '6.6.6.6' })).toBe(from);
    const spoofed = Array.from({ length: SIGN_UPS + 1 }, (_, at) => ({ from, forwardedFor: `6.6.6.${at}` }));
    expect(await signUps(app, spoofed)).toEqual(exhausted);
  });

  it('is the rightmost that a trusted proxy saw and is none itself', async () => {
    const app = await application({ TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.1' });
    const from = '10.0.0.5';
    expect(await recordedIp(app, { from, forwardedFor: '6.6.6.6, 198.51.100.7, 192.0.2.1' })).toBe(
      '198.51.100.7',
    );
    expect(await recordedIp(app, { from })).toBe(from);
    // Who reaches us past the proxies is not believed.
    expect(await recordedIp(app, { from: '203.0.113.9', forwardedFor: '6.6.6.6' })).toBe('203.0.113.9');
    // What a client writes to the left of its own address gains nothing.
    const spoofed = Array.from({ length: SIGN_UPS + 1 }, (_, at) => ({
      from,
      forwardedFor: `6.6.6.${at}, 198.51.100.7`,
    }));
    const neighbour = { from, forwardedFor: '198.51.100.8' };
    expect(await signUps(app, [...spoofed, neighbour])).toEqual([...exhausted, 400]);
  });
});
