import { Batcher, type Db, isOutage, type Logger, sleep } from '#platform';
import type { Segment } from './segment';
import { checkpoint, checkpointParams } from './sql/checkpoint.sql';

/** A run that has something to record. */
export interface Recording {
  readonly runId: string;
  take(): Segment;
}

/** Told to runs whose worker has been declared dead: their results must not be recorded by this worker any more. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** How the recording of one run's gatherings went; `refused` is the database's last word on what they contain. */
export type Recorded = 'recorded' | 'refused';

/** A recording on its way, and the lease under which it happened. */
interface Sent {
  readonly recording: Recording;
  readonly workerId: string | null;
}

/** A notification carries 8,000 bytes at most; beyond so many runs the listeners are told to look at all. */
const MAX_NOTIFIED_RUNS = 150;
const RETRY_MS = { first: 100, longest: 2_000 } as const;

/**
 * Group commit. Results of many runs go to the database in one statement, which is one transaction; while flushes are
 * under way new results gather for the next. There is no timer: at low load a flush holds one run and nothing waits.
 *
 * It must never record the same run in two flushes at a time (their order would be lost), which the
 * run sees to by asking again only when its last recording is done.
 */
export class Checkpointer {
  readonly #batcher: Batcher<Sent, Recorded | 'lost'>;
  #workerId: string | null = null;

  constructor(
    private readonly db: Db,
    private readonly options: {
      readonly cellId: string;
      readonly channel: string;
      readonly logger: Logger;
      readonly onLeaseLost: (workerId: string) => void;
      /** Called for each segment that is committed. */
      readonly onRecorded?: (segment: Segment) => void;
    },
  ) {
    this.#batcher = new Batcher<Sent, Recorded | 'lost'>({
      maxBatch: 500,
      maxInFlight: 2,
      flush: (sent) => this.#flush(sent),
    });
  }

  /** From now on results are recorded under this worker's lease; under none with null. */
  workAs(workerId: string | null): void {
    this.#workerId = workerId;
  }

  /** Records what the run has gathered. Rejects with LeaseLost; waits out a database that is away. */
  async record(recording: Recording): Promise<Recorded> {
    const recorded = await this.#batcher.submit({ recording, workerId: this.#workerId });
    if (recorded === 'lost') throw new LeaseLost('The lease ended before this could be recorded.');
    return recorded;
  }

  idle(): Promise<void> {
    return this.#batcher.idle();
  }

  /** What has waited while the lease was lost happened under that lease: under another one it must not be recorded. */
  async #flush(sent: readonly Sent[]): Promise<readonly (Recorded | 'lost')[]> {
    const workerId = this.#workerId;
    if (workerId === null) throw new LeaseLost('No lease is held.');
    const ours = sent.filter((each) => each.workerId === workerId);
    const segments = ours.map(({ recording }) => recording.take());
    const recorded = segments.length === 0 ? [] : await this.#write(workerId, segments);
    const results = new Map(ours.map((each, index) => [each, recorded[index]]));
    return sent.map((each) => results.get(each) ?? 'lost');
  }

  /** Writes all segments and says of each how it went. */
  async #write(workerId: string, segments: readonly Segment[]): Promise<readonly Recorded[]> {
    try {
      await this.#send(workerId, segments);
      for (const segment of segments) this.options.onRecorded?.(segment);
      return segments.map(() => 'recorded');
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      if (segments.length > 1) {
        // One bad value fails the statement of all: each is tried alone, so that only the guilty run pays.
        const alone: Recorded[] = [];
        for (const segment of segments) alone.push(...(await this.#write(workerId, [segment])));
        return alone;
      }
      this.options.logger.error('a result could not be recorded', { runId: segments[0]?.runId, error });
      return ['refused'];
    }
  }

  /** Sends one checkpoint until the database has answered. Sending again is harmless: see the statement. */
  async #send(workerId: string, segments: readonly Segment[]): Promise<void> {
    const notify = { channel: this.options.channel, payload: notified(segments) };
    const params = checkpointParams(workerId, segments, notify);
    for (let waitMs: number = RETRY_MS.first; ; waitMs = Math.min(waitMs * 2, RETRY_MS.longest)) {
      try {
        const [answer] = await this.db.execute(this.options.cellId, checkpoint, ...params);
        if (answer?.fenced) return;
        this.options.onLeaseLost(workerId);
        throw new LeaseLost('The worker was declared dead.');
      } catch (error) {
        if (!isOutage(error)) throw error;
        this.options.logger.warn('a checkpoint waits for the database', { error });
        await sleep(waitMs);
        // Another lease may have been taken meanwhile; what was gathered under the old one must not be written.
        if (this.#workerId !== workerId) throw new LeaseLost('The lease ended while the database was away.');
      }
    }
  }
}

function notified(segments: readonly Segment[]): string {
  if (segments.length > MAX_NOTIFIED_RUNS) return '*';
  return segments.map(({ runId }) => runId).join(',');
}
