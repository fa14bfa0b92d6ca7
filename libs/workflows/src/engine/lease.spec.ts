import type { Db } from '#platform';
import { Clock } from '#platform';
import { CollectingLogger, CountingIds } from '#platform/testing';
import { Lease } from './lease';

/** A host whose monotonic clock the test moves, and whose wall clock says nothing. */
class TestClock extends Clock {
  ms = 1_000_000;

  now(): Date {
    return new Date(0);
  }

  pinned(): null {
    return null;
  }

  monotonicMs(): number {
    return this.ms;
  }
}

/** By how much the database's time is ahead of the host's monotonic clock. */
const AHEAD_MS = 500_000_000_000;

describe('what a lease knows of the time', () => {
  const clock = new TestClock();
  /** How long the database takes to hear, and how long its answer takes. */
  let trip = { there: 0, back: 0 };
  let isAlive = true;
  const execute = () => {
    clock.ms += trip.there;
    const databaseNow = new Date(clock.ms + AHEAD_MS);
    clock.ms += trip.back;
    return Promise.resolve(isAlive ? [{ databaseNow }] : []);
  };
  const db = { execute } as unknown as Db;
  const newLease = () =>
    new Lease({ db, clock, ids: new CountingIds(), logger: new CollectingLogger() }, 'cell_1', 10);
  /** How far off the bounds are. */
  const errorsOf = (lease: Lease) =>
    [lease.surelyReached(), lease.now()].map((time) => time.getTime() - (clock.ms + AHEAD_MS));

  beforeEach(() => {
    trip = { there: 0, back: 0 };
    isAlive = true;
  });

  it('lies between two bounds, as near as the fastest ways there and back were long', async () => {
    const lease = newLease();
    trip = { there: 300, back: 900 };
    await lease.acquire();
    expect(errorsOf(lease)).toEqual([-900, 300]);
    trip = { there: 5, back: 700 };
    await lease.renew();
    expect(errorsOf(lease)).toEqual([-700, 5]);
    // A slow answer does not spoil what fast ones have told.
    trip = { there: 400, back: 2 };
    await lease.renew();
    expect(errorsOf(lease)).toEqual([-2, 5]);
  });

  it('follows the database when its clock is set', async () => {
    const lease = newLease();
    await lease.acquire();
    for (const moved of [3_600_000, -3_600_000]) {
      clock.ms -= moved;
      await lease.renew();
      expect(errorsOf(lease)).toEqual([0, 0]);
    }
  });

  it('stands at once while it cannot have run out', async () => {
    const lease = newLease();
    expect(await lease.standing()).toBe(false);
    trip = { there: 2_000, back: 1_000 };
    await lease.acquire();
    clock.ms += 6_999;
    expect(await lease.standing()).toBe(true);
  });

  it.each([
    ['goes on when the heartbeat says so', true],
    ['does not when it was declared dead', false],
  ])('is asked about when it may have run out, and %s', async (_name, alive) => {
    const lease = newLease();
    await lease.acquire();
    clock.ms += 10_000;
    const heard: boolean[] = [];
    const asked = lease.standing().then((stands) => heard.push(stands));
    await Promise.resolve();
    expect(heard).toEqual([]);
    isAlive = alive;
    if (!(await lease.renew())) lease.forget();
    await asked;
    expect(heard).toEqual([alive]);
  });
});
