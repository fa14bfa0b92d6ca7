import { createHash, randomUUID } from 'node:crypto';
import { barrier, PinnedClock, useTestDb } from '#platform/testing';
import type { Db } from '../db/db';
import { platformErrors } from '../errors/platform-errors';
import { Idempotency, type IdempotencyKey } from './idempotency';
import { IdempotencyPurge } from './idempotency-purge.loop';

const hashOf = (text: string) => createHash('sha256').update(text).digest();

describe('Idempotency', () => {
  const testDb = useTestDb();
  const idempotency = new Idempotency();

  function newKey(changes: Partial<IdempotencyKey> = {}): IdempotencyKey {
    const fresh = { scope: 'user:1 POST /v1/things', key: randomUUID(), workspaceId: null };
    return { ...fresh, requestHash: hashOf('body'), ...changes };
  }

  it('runs the work once and gives its answer to the repetition', async () => {
    const key = newKey();
    const answers = [];
    let runs = 0;
    for (const _ of [1, 2]) {
      const work = async () => ({ id: 'thing-1', run: (runs += 1), tags: ['a'], none: null });
      answers.push(await testDb().db.control((tx) => idempotency.once(tx, key, work)));
    }
    expect(runs).toBe(1);
    expect(answers[1]).toEqual(answers[0]);
  });

  it('just runs the work without a key', async () => {
    let runs = 0;
    const run = () => testDb().db.control((tx) => idempotency.once(tx, null, async () => (runs += 1)));
    expect([await run(), await run()]).toEqual([1, 2]);
  });

  it('remembers work that answers with nothing', async () => {
    const key = newKey();
    let runs = 0;
    const run = () =>
      testDb().db.control((tx) =>
        idempotency.once(tx, key, async () => {
          runs += 1;
        }),
      );
    await run();
    await run();
    expect(runs).toBe(1);
  });

  it('refuses a key that comes back with another request', async () => {
    const key = newKey();
    await testDb().db.control((tx) => idempotency.once(tx, key, async () => 1));
    const other = { ...key, requestHash: hashOf('another body') };
    const again = testDb().db.control((tx) => idempotency.once(tx, other, async () => 2));
    await expect(again).rejects.toMatchObject({ type: platformErrors.idempotency_key_reused });
  });

  it('forgets a key whose work failed: the next request runs it', async () => {
    const key = newKey();
    const failing = testDb().db.control((tx) =>
      idempotency.once(tx, key, async () => {
        throw new Error('no');
      }),
    );
    await expect(failing).rejects.toThrow('no');
    expect(await testDb().db.control((tx) => idempotency.once(tx, key, async () => 'done'))).toBe('done');
  });

  it('works as the tenant of the workspace, whose rows no other tenant sees', async () => {
    const [mine, other] = [randomUUID(), randomUUID()];
    for (const id of [mine, other]) {
      const cell = await testDb().directory.prepare(id);
      await testDb().db.control((tx) => testDb().directory.assign(tx, id, cell));
    }
    const key = newKey({ workspaceId: mine });
    const run = () => testDb().db.tenant(mine, (tx) => idempotency.once(tx, key, async () => randomUUID()));
    expect(await run()).toBe(await run());
    const foreign = testDb().db.tenant(other, (tx) => idempotency.once(tx, key, async () => 'leak'));
    await expect(foreign).rejects.toThrow();
  });

  // Seen to fail with a look for the key before the work and the insert after it: the work ran twenty times.
  it('lets one of twenty simultaneous requests run the work', async () => {
    const parties = 20;
    const others = await Promise.all([testDb().connectAgain(), testDb().connectAgain()]);
    const ready = barrier(parties);
    const key = newKey();
    await testDb().sql('create table effects (by_party int)');
    const request = (db: Db, party: number) =>
      db.control(async (tx) => {
        // All twenty transactions are open before the first of them goes on.
        await ready();
        return idempotency.once(tx, key, async () => {
          await tx.query({ name: 'test-effect', text: 'insert into effects values ($1)' }, party);
          return { party };
        });
      });
    const answers = await Promise.all(
      Array.from({ length: parties }, (_, party) => request(others[party % 2] ?? testDb().db, party)),
    );
    const effects = await testDb().sql('select by_party as party from effects');
    expect(effects).toHaveLength(1);
    expect(answers).toEqual(answers.map(() => effects[0]));
  });

  it('purges what is older than a day, and nothing younger', async () => {
    const [old, young] = [newKey(), newKey()];
    for (const key of [old, young]) {
      await testDb().db.control((tx) => idempotency.once(tx, key, async () => 'kept'));
    }
    await testDb().sql(`update idempotency_keys set created_at = '2031-05-01T00:00:00Z' where key = $1`, [
      old.key,
    ]);
    await testDb().sql(`update idempotency_keys set created_at = '2031-05-01T00:00:01Z' where key = $1`, [
      young.key,
    ]);
    const clock = new PinnedClock('2031-05-02T00:00:00.500Z');
    const { again } = await new IdempotencyPurge(testDb().db, clock).runOnce();
    expect(again).toBe(false);
    const left = await testDb().sql('select key from idempotency_keys where key = any($1)', [
      [old.key, young.key],
    ]);
    expect(left).toEqual([{ key: young.key }]);
  });
});
