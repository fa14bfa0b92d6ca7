import { Batcher, type Clock, isOutage } from '#platform';
import type { Engine } from '../../engine/engine';
import type { Gates } from '../../engine/gates';
import type { StartIn, StartResult } from '../../engine/run-starter';
import type { Arrival } from './arrival';
import { deliveryParams, insertDeliveries, type NewDelivery } from './hook-deliveries.sql';
import { hookMetrics } from './hook-metrics';
import { ReplayStore, type SeenBefore } from './replay-store';

/** What became of an arrival. It is stored. */
export type Settled =
  | { readonly state: 'accepted' | 'duplicate'; readonly runId: string }
  /** No run, and why; nothing of the engine's when the run could not even be asked for. */
  | { readonly state: 'refused'; readonly result: StartResult | null };

type Answer = Settled | { readonly failed: unknown };

/** Deliveries are kept as long as runs, but not longer than this. */
const MAX_KEEP_DAYS = 30;
const MAX_BATCH = 500;
/** Of bodies in one transaction. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/**
 * Stores deliveries of one cell with the runs they lead to, many in one transaction: signatures, starts, deliveries.
 * Its commit is the acceptance. Before it nothing has happened; after it nothing is lost.
 */
export class Inbox {
  readonly #batcher: Batcher<Arrival, Answer>;
  readonly #replays: ReplayStore;

  constructor(
    private readonly services: { readonly clock: Clock; readonly engine: Engine; readonly gates: Gates },
    private readonly cellId: string,
  ) {
    this.#replays = new ReplayStore(services.clock);
    this.#batcher = new Batcher({
      maxBatch: MAX_BATCH,
      maxInFlight: 2,
      flush: (arrivals) => this.#flush(arrivals),
    });
  }

  /** Rejects when the database could not be reached: then it is unknown whether the delivery was stored. */
  async store(arrival: Arrival): Promise<Settled> {
    const answer = await this.#batcher.submit(arrival);
    if ('failed' in answer) throw answer.failed;
    hookMetrics.deliveries.inc({ state: answer.state });
    return answer;
  }

  async #flush(arrivals: readonly Arrival[]): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    for (const batch of batchesOf(arrivals)) answers.push(...(await this.#storeBatch(batch)));
    return answers;
  }

  async #storeBatch(arrivals: readonly Arrival[]): Promise<readonly Answer[]> {
    try {
      return await this.#storeTogether(arrivals);
    } catch (error) {
      if (arrivals.length === 1 || isOutage(error)) return arrivals.map(() => ({ failed: error }));
      // One bad delivery fails the transaction of all: each is tried alone, so that only the guilty one pays.
      const alone: Answer[] = [];
      for (const arrival of arrivals) alone.push(...(await this.#storeBatch([arrival])));
      return alone;
    }
  }

  async #storeTogether(arrivals: readonly Arrival[]): Promise<readonly Settled[]> {
    const workspaceIds = [...new Set(arrivals.map(({ workspaceId }) => workspaceId))];
    const limits = await this.services.gates.limitsOf(this.cellId).of(workspaceIds);
    const daysOf = ({ workspaceId }: Arrival) =>
      Math.min(limits.get(workspaceId)?.retentionDays ?? 1, MAX_KEEP_DAYS);
    return this.services.engine.startWith(this.cellId, workspaceIds, async (tx, start) => {
      const seen = await this.#replays.claim(tx, arrivals, daysOf);
      const settled = settledBy(arrivals, seen, await startsOf(arrivals, seen, start));
      await this.#replays.release(
        tx,
        arrivals.filter((arrival) => settled.get(arrival)?.state === 'refused' && !seen.has(arrival)),
      );
      const results = arrivals.map((arrival) => resultOf(settled, arrival));
      const deliveries = arrivals.map((arrival, index) =>
        deliveryOf(arrival, results[index], daysOf(arrival)),
      );
      await tx.query(insertDeliveries, ...deliveryParams(this.services.clock.pinned(), deliveries));
      return results;
    });
  }
}

/** Batches whose bodies fit into memory a few times over; one body alone always does. */
function batchesOf(arrivals: readonly Arrival[]): readonly (readonly Arrival[])[] {
  const batches: Arrival[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const arrival of arrivals) {
    bytes += arrival.body.length;
    if (bytes > MAX_BATCH_BYTES) {
      batches.push([]);
      bytes = arrival.body.length;
    }
    batches.at(-1)?.push(arrival);
  }
  return batches;
}

/** Starts what is new, and gives what came of each. */
async function startsOf(
  arrivals: readonly Arrival[],
  seen: ReadonlyMap<Arrival, SeenBefore>,
  start: StartIn,
): Promise<ReadonlyMap<Arrival, StartResult>> {
  const starting = arrivals.flatMap((arrival) =>
    seen.has(arrival) || 'reason' in arrival.start ? [] : [{ arrival, request: arrival.start }],
  );
  const results = await start(starting.map(({ request }) => request));
  return new Map(
    starting.flatMap(({ arrival }, index) => {
      const result = results[index];
      return result ? [[arrival, result] as const] : [];
    }),
  );
}

function settledBy(
  arrivals: readonly Arrival[],
  seen: ReadonlyMap<Arrival, SeenBefore>,
  results: ReadonlyMap<Arrival, StartResult>,
): ReadonlyMap<Arrival, Settled> {
  const settled = new Map<Arrival, Settled>();
  for (const arrival of arrivals) {
    if (!seen.has(arrival)) settled.set(arrival, settledAs(results.get(arrival) ?? null));
  }
  for (const [arrival, before] of seen) {
    const first: Settled =
      'runId' in before ? { state: 'duplicate', runId: before.runId } : resultOf(settled, before.first);
    settled.set(arrival, first.state === 'accepted' ? { state: 'duplicate', runId: first.runId } : first);
  }
  return settled;
}

function settledAs(result: StartResult | null): Settled {
  if (result?.kind === 'started') return { state: 'accepted', runId: result.runId };
  if (result?.kind === 'replayed') return { state: 'duplicate', runId: result.runId };
  return { state: 'refused', result };
}

function resultOf(settled: ReadonlyMap<Arrival, Settled>, arrival: Arrival): Settled {
  const found = settled.get(arrival);
  if (!found) throw new Error(`Delivery ${arrival.id} was neither accepted nor refused.`);
  return found;
}

function deliveryOf(arrival: Arrival, settled: Settled | undefined, keepDays: number): NewDelivery {
  const { start, signature: _, body, ...delivery } = arrival;
  const runId = settled && 'runId' in settled ? settled.runId : null;
  const reason = settled?.state === 'refused' ? reasonOf(settled.result, start) : null;
  return {
    ...delivery,
    state: settled?.state ?? 'refused',
    reason,
    runId,
    body: body.length === 0 ? null : body,
    bodyBytes: body.length,
    keepDays,
  };
}

function reasonOf(result: StartResult | null, start: Arrival['start']): string {
  if (result?.kind === 'refused') return result.refusal.code;
  if (result) return `run.${result.kind}`;
  return 'reason' in start ? start.reason : 'run.refused';
}
