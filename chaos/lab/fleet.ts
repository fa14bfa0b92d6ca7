import { randomBytes } from 'node:crypto';
import { eventually } from '#platform/testing';
import { freePort } from '../../apps/api/test/support/free-port';
import type { Environment } from '../../apps/api/test/support/millrace-process';
import type { History } from '../history/history';
import type { SeededRandom } from '../random';
import { DatabaseProxy } from './database-proxy';
import type { FakeClock } from './fake-clock';
import type { LabDatabase } from './lab-server';
import { Member } from './member';

/** Runs a worker holds at most: few, so that every one has some, and what one may repeat is bounded. */
export const SLOTS = 40;
const READY_WITHIN_MS = 180_000;
/** The shortest that the product allows. */
export const LEASE_MS = 2_000;

/** What all processes of an installation are started with. */
export function installation(): Environment {
  return {
    SECRET_KEY: randomBytes(32).toString('base64'),
    EGRESS_ALLOW_PRIVATE: '127.0.0.0/8',
    RATE_LIMIT_SCALE: '0',
    DATABASE_POOL_SIZE: '6',
    WORKER_LEASE_SECONDS: String(LEASE_MS / 1000),
    WORKER_CONCURRENCY: String(SLOTS),
    LOG_LEVEL: 'warn',
  };
}

/** What a history holds of processes and their connections. */
export type FleetHistory = Pick<History, 'processes' | 'collapses' | 'connections' | 'dropped'>;

/** What a fleet is made of. */
export interface FleetOptions {
  readonly database: LabDatabase;
  readonly databasePort: number;
  readonly workers: number;
  readonly random: SeededRandom;
  readonly program: string;
  /** For the last of the workers. */
  readonly clock?: FakeClock | undefined;
}

/** The processes of one installation: one for the API, several for the work, each with its own way to the database. */
export class Fleet {
  private constructor(
    readonly api: Member,
    readonly workers: readonly Member[],
    readonly url: string,
  ) {}

  /** Makes the places; nobody is started yet. */
  static async make(options: FleetOptions): Promise<Fleet> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    // Workers tell others where the API can be called.
    const shared = { ...installation(), PUBLIC_URL: url };
    const place = async (slot: string, own: Environment): Promise<Member> => {
      const proxy = await DatabaseProxy.start(options.databasePort, options.random.fork());
      const { program } = options;
      const environment = { ...shared, ...own, DATABASE_URL: options.database.urlBy(proxy.port) };
      return new Member({
        slot,
        role: own['ROLES'] === 'api' ? 'api' : 'worker',
        proxy,
        environment,
        program,
      });
    };
    const api = await place('api', { ROLES: 'api', PORT: String(port) });
    const workers: Member[] = [];
    for (let number = 1; number <= options.workers; number += 1) {
      const clock = number === options.workers ? options.clock?.environment : undefined;
      workers.push(await place(`worker-${number}`, { ROLES: 'worker,scheduler', ...clock }));
    }
    return new Fleet(api, workers, url);
  }

  get members(): readonly Member[] {
    return [this.api, ...this.workers];
  }

  /** Those that run now, by their process numbers. */
  get processes(): ReadonlyMap<number, string> {
    const alive = this.members.filter((member) => member.isAlive);
    return new Map(alive.map(({ current }) => [current.process.pid, current.name]));
  }

  /** Starts every process and waits until all take part. */
  async start(): Promise<void> {
    for (const member of this.members) member.start();
    await this.ready();
  }

  /** Waits until every place has a process that takes part. Throws, with what one printed, when that does not come. */
  ready(): Promise<void> {
    return eventually(
      () => {
        const waiting = this.members.find(({ current }) => !current.isReady || current.endedAtMs !== null);
        if (!waiting) return;
        throw new Error(`${waiting.current.name} is not ready:\n${waiting.current.process.output}`);
      },
      { timeoutMs: READY_WITHIN_MS, everyMs: 50 },
    );
  }

  /** What the checks need to know of processes and their connections. */
  get history(): FleetHistory {
    const dropped = this.members.map(({ options }) => options.proxy.dropped);
    return {
      dropped: {
        replies: dropped.reduce((sum, { replies }) => sum + replies, 0),
        requests: dropped.reduce((sum, { requests }) => sum + requests, 0),
      },
      processes: this.members.flatMap(({ lives }) => lives),
      collapses: this.members.flatMap(({ collapses }) => collapses),
      connections: this.members.flatMap(({ options }) => options.proxy.connections),
    };
  }

  /** How many workers live. */
  get living(): number {
    return this.workers.filter((worker) => worker.isAlive).length;
  }

  /** Takes every fault away. */
  heal(): void {
    for (const member of this.members) {
      member.options.proxy.line = { kind: 'open' };
      if (member.isFrozen) member.thaw();
    }
  }

  /** Stops every process in good order. */
  async stop(): Promise<void> {
    this.heal();
    await Promise.all(this.members.map((member) => member.stop()));
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(({ options }) => options.proxy.close()));
  }
}
