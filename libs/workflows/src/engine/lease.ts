import { hostname } from 'node:os';
import type { Clock, Db, Ids, Logger } from '#platform';
import { heartbeatWorker, registerWorker, releaseRuns, retireWorker } from './sql/workers.sql';

/**
 * This process's standing as a worker of one cell: a row that it keeps alive. Whoever finds the lease run out deletes
 * the row, and from then on nothing this worker writes is taken. What reaches others than the database is kept back by
 * `standing`: a process that was frozen past its lease does nothing before it has heard that the lease is still its own.
 *
 * It also knows the database's time, so that instants told to people and to delays are the database's. It is counted from
 * the heartbeats with the monotonic clock: what somebody does to the host's clock changes nothing.
 */
export class Lease {
  #workerId: string | null = null;
  /** By the monotonic clock: not later than the database has it. */
  #validUntilMs = -Infinity;
  /** How far the database's time, in epoch milliseconds, is ahead of the monotonic clock. Null: nothing is known. */
  #ahead: { readonly leastMs: number; readonly mostMs: number } | null = null;
  #lastTurn = 0n;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly services: {
      readonly db: Db;
      readonly clock: Clock;
      readonly ids: Ids;
      readonly logger: Logger;
    },
    private readonly cellId: string,
    private readonly leaseSeconds: number,
  ) {}

  /** The id this worker writes under; null while it holds no lease. */
  get workerId(): string | null {
    return this.#workerId;
  }

  /** The database's time, as well as it is known here, and not earlier: a wait that is counted from it is not too short. */
  now(): Date {
    return this.#time(this.#ahead?.mostMs);
  }

  /** The same, and not later: what is due by it is due, whoever has said for when. */
  surelyReached(): Date {
    return this.#time(this.#ahead?.leastMs);
  }

  /**
   * Takes in an answer of the database that tells its time, to what was sent at `sentMs` of the monotonic clock. It looked
   * at its clock somewhere between the sending and the answer; all answers together say more than each, the fastest most.
   */
  heard(sentMs: number, databaseNow: Date): void {
    const latest = databaseNow.getTime() - sentMs;
    const earliest = databaseNow.getTime() - this.services.clock.monotonicMs();
    const leastMs = Math.max(earliest, this.#ahead?.leastMs ?? earliest);
    const mostMs = Math.min(latest, this.#ahead?.mostMs ?? latest);
    // Its clock was set when nothing fits any more.
    this.#ahead = leastMs <= mostMs ? { leastMs, mostMs } : { leastMs: earliest, mostMs: latest };
  }

  /**
   * Whether the lease is held, as far as anybody can know here: at once while it is surely valid; else, it may have run
   * out unnoticed, when the next heartbeat has been answered.
   */
  async standing(): Promise<boolean> {
    if (this.#workerId !== null && this.services.clock.monotonicMs() >= this.#validUntilMs) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    return this.#workerId !== null;
  }

  /** Begins a new life under a new id. */
  async acquire(): Promise<string> {
    const { db, clock, ids } = this.services;
    const workerId = ids.next();
    const sentMs = clock.monotonicMs();
    const [row] = await db.execute(
      this.cellId,
      registerWorker,
      workerId,
      hostname(),
      process.pid,
      this.leaseSeconds,
      clock.pinned(),
    );
    this.#workerId = workerId;
    if (row) this.#renewed(sentMs, row.databaseNow);
    return workerId;
  }

  /** Says that this worker lives. False when it has been declared dead meanwhile. */
  async renew(): Promise<boolean> {
    const { db, clock } = this.services;
    if (this.#workerId === null) return false;
    const sentMs = clock.monotonicMs();
    const [row] = await db.execute(
      this.cellId,
      heartbeatWorker,
      this.#workerId,
      this.leaseSeconds,
      String(this.#lastTurn),
      clock.pinned(),
    );
    if (row) this.#renewed(sentMs, row.databaseNow);
    return row !== undefined;
  }

  /** The lease is gone; `acquire` begins anew. */
  forget(): void {
    this.#workerId = null;
    this.#letGo();
  }

  /** Notes how far through the queue this worker has come; told with the next heartbeat. */
  noteTurn(turn: string): void {
    const claimed = BigInt(turn);
    if (claimed > this.#lastTurn) this.#lastTurn = claimed;
  }

  /** Gives back what is still held, and ends the lease. */
  async release(): Promise<void> {
    const { db, logger } = this.services;
    const workerId = this.#workerId;
    if (workerId === null) return;
    this.forget();
    const released = await db.execute(this.cellId, releaseRuns, workerId);
    await db.execute(this.cellId, retireWorker, workerId);
    if (released.length > 0) logger.info('runs given back to the queue', { runs: released.length });
  }

  #time(aheadMs: number | undefined): Date {
    const { clock } = this.services;
    if (aheadMs === undefined || clock.pinned() !== null) return clock.now();
    return new Date(clock.monotonicMs() + aheadMs);
  }

  #renewed(sentMs: number, databaseNow: Date): void {
    this.heard(sentMs, databaseNow);
    this.#validUntilMs = sentMs + this.leaseSeconds * 1000;
    this.#letGo();
  }

  #letGo(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
