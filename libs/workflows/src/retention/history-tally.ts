import { Alarm, type Db, type Logger, statement } from '#platform';
import type { Segment } from '../engine/segment';
import { instantOf, periodOf } from './periods';

/** What was counted is in memory for so long at most; a process that dies takes it along. */
const FLUSH_MS = 5_000;

type Counted = Pick<Segment, 'runId' | 'workspaceId' | 'retentionDays'>;

interface Count {
  readonly workspaceId: string;
  readonly retentionDays: number;
  /** Any of the runs, for their period: making dates of each would cost more than counting. */
  readonly runId: string;
  runs: number;
  bytes: number;
}

/**
 * Purpose: adds to the tallies of workspaces. Locks: their rows, in the order of the key.
 * Index: workspace_history_pkey. Rows: one for each workspace, class and period with news.
 */
const addToTally = statement<
  [workspaceIds: readonly string[], classes: readonly number[], starts: readonly Date[], runs: readonly number[], bytes: readonly number[]],
  unknown
>(
  'add-to-history-tally',
  `insert into workspace_history as h (workspace_id, retention_days, period_start, runs, bytes)
   select workspace_id, retention_days, period_start, sum(runs), sum(bytes)
     from unnest($1::uuid[], $2::smallint[], $3::timestamptz[], $4::bigint[], $5::bigint[])
            as u (workspace_id, retention_days, period_start, runs, bytes)
    group by 1, 2, 3 order by 1, 2, 3
   on conflict (workspace_id, retention_days, period_start) do update
     set runs = h.runs + excluded.runs, bytes = h.bytes + excluded.bytes`,
); // prettier-ignore

/**
 * Counts what workspaces' histories take up: the bytes of JSON texts, as they are recorded. It is no part of the
 * checkpoint, whose runs would then wait for one row of their workspace; so a worker that dies leaves up to five seconds
 * uncounted, until the partition they are in is dropped.
 */
export class HistoryTally {
  #counts = new Map<string, Count>();
  readonly #alarm = new Alarm(() => void this.flush());

  constructor(
    private readonly services: { readonly db: Db; readonly logger: Logger },
    private readonly cellId: string,
  ) {}

  /** A run is executed for the first time: it is there, with its input. */
  begun(run: Counted & { readonly inputBytes: number }): void {
    const count = this.#countOf(run);
    count.runs += 1;
    count.bytes += run.inputBytes;
  }

  /** A checkpoint of it is committed. */
  recorded(segment: Segment): void {
    const { nodes, events, end } = segment;
    // The brackets and commas of the array they are recorded as.
    let bytes = events.length === 0 ? 0 : 1 + events.length;
    for (const event of events) bytes += Buffer.byteLength(event);
    for (const { output, error } of nodes) bytes += lengthOf(output) + lengthOf(error);
    if (end?.kind === 'finished') bytes += lengthOf(end.output) + lengthOf(end.error);
    if (bytes > 0) this.#countOf(segment).bytes += bytes;
  }

  /** Writes down what was counted. What cannot be written now is kept for the next time. */
  async flush(): Promise<void> {
    this.#alarm.clear();
    if (this.#counts.size === 0) return;
    const taken = this.#counts;
    this.#counts = new Map();
    const counts = [...taken.values()];
    try {
      await this.services.db.execute(
        this.cellId,
        addToTally,
        counts.map(({ workspaceId }) => workspaceId),
        counts.map(({ retentionDays }) => retentionDays),
        counts.map(({ retentionDays, runId }) => periodOf(retentionDays, instantOf(runId)).from),
        counts.map(({ runs }) => runs),
        counts.map(({ bytes }) => bytes),
      );
    } catch (error) {
      this.services.logger.warn('what history takes up could not be written down', { error });
      for (const count of counts) {
        const kept = this.#countOf(count);
        kept.runs += count.runs;
        kept.bytes += count.bytes;
      }
    }
  }

  #countOf({ runId, workspaceId, retentionDays }: Counted): Count {
    // An id begins with its time; so many digits of it are a minute.
    const key = `${workspaceId}${retentionDays} ${runId.slice(0, 8)}`;
    const known = this.#counts.get(key);
    if (known) return known;
    if (this.#counts.size === 0) this.#alarm.setWithin(FLUSH_MS);
    const fresh: Count = { workspaceId, retentionDays, runId, runs: 0, bytes: 0 };
    this.#counts.set(key, fresh);
    return fresh;
  }
}

function lengthOf(text: string | null): number {
  return text === null ? 0 : Buffer.byteLength(text);
}
