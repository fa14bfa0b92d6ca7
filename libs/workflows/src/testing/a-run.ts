import { eventually, type TestDb } from '#platform/testing';
import type { JsonValue } from '../definition/json';
import { aPublishedWorkflow, type PublishedWorkflow } from './a-published-workflow';
import type { TestEngine } from './test-engine';

type Definition = Parameters<typeof aPublishedWorkflow>[1];

/** A run that has ended, as it was recorded. */
export interface EndedRun {
  readonly outcome: 'succeeded' | 'failed' | 'canceled';
  readonly output: JsonValue;
  readonly error: { readonly code: string; readonly message: string; readonly nodeId?: string } | null;
}

/** Runs on a worker, watched through the tables. */
export class TestRuns {
  constructor(
    private readonly testDb: () => TestDb,
    private readonly worker: () => TestEngine,
    private readonly cellId = 'cell_1',
  ) {}

  sql<R = Record<string, unknown>>(text: string, params: readonly unknown[] = []): Promise<readonly R[]> {
    return this.testDb().sql<R>(text, params, this.cellId);
  }

  /** Publishes a definition and starts it by its node `start`. */
  async start(
    definition: Definition,
    input: unknown = {},
    workspaceId?: string,
  ): Promise<PublishedWorkflow & { readonly runId: string }> {
    const place = { cellId: this.cellId, ...(workspaceId !== undefined && { workspaceId }) };
    const workflow = await aPublishedWorkflow(this.testDb(), definition, place);
    return { ...workflow, runId: await this.startOf(workflow, input) };
  }

  async startOf(workflow: PublishedWorkflow, input: unknown = {}): Promise<string> {
    const started = await this.worker().start(workflow, input);
    if (started.kind !== 'started') throw new Error(started.kind);
    return started.runId;
  }

  ended(runId: string): Promise<EndedRun> {
    return eventually(
      async () => {
        const [run] = await this.sql<EndedRun | { readonly outcome: null }>(
          'select outcome, output, error from workflow_runs where id = $1',
          [runId],
        );
        if (!run || run.outcome === null) throw new Error('The run has not ended.');
        return run;
      },
      { timeoutMs: 20_000 },
    );
  }

  /** Waits until the queue says so. */
  inState(runId: string, state: string): Promise<void> {
    return eventually(
      async () => {
        const [row] = await this.sql<{ state: string }>('select state from run_queue where run_id = $1', [
          runId,
        ]);
        if (row?.state !== state) throw new Error(`The run is ${row?.state ?? 'not live'}, not ${state}.`);
      },
      { timeoutMs: 20_000 },
    );
  }

  /** Statuses by node, in loops by `node:iteration`. */
  async nodesOf(runId: string): Promise<Readonly<Record<string, string>>> {
    const rows = await this.sql<{ place: string; status: string }>(
      `select node_id || case iteration when '' then '' else ':' || iteration end as place, status
         from workflow_node_runs where run_id = $1 order by place`,
      [runId],
    );
    return Object.fromEntries(rows.map(({ place, status }) => [place, status]));
  }

  /** Types of events in order, numbered without a gap. */
  async eventsOf(
    runId: string,
  ): Promise<readonly { readonly type: string; readonly [key: string]: unknown }[]> {
    const chunks = await this.sql<{ first_seq: number; last_seq: number; events: { type: string }[] }>(
      'select first_seq, last_seq, events from workflow_run_events where run_id = $1 order by first_seq',
      [runId],
    );
    let next = 2;
    for (const { first_seq, last_seq, events } of chunks) {
      if (first_seq !== next || last_seq !== first_seq + events.length - 1) {
        throw new Error(`Events ${first_seq} to ${last_seq} come where ${next} is due.`);
      }
      next = last_seq + 1;
    }
    return chunks.flatMap(({ events }) => events);
  }
}

/** Edges of port `out` from each node to the next. */
export function chain(...ids: readonly string[]): { from: string; to: string }[] {
  return ids.slice(1).map((to, i) => ({ from: ids[i] ?? '', to }));
}
