import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AppError, Db, platformErrors, statement } from '#platform';
import { definitionView } from '../catalog/definition.dto';
import { NODE_RUN_COLUMNS, type NodeRunRow, readEvents } from '../runs/read-runs.sql';
import { eventView, nodeRunView, runView, toNodeRun } from '../runs/runs.dto';
import { numbered, Runs } from '../runs/runs.service';

const PAGE_ROWS = 100;
const EVENT_CHUNKS = 100;

/** Purpose: the definition that a run is pinned to. Index: the run's, workflow_versions_pkey. Rows: one. */
export const findRunDefinition = statement<
  [workspaceId: string, runId: string],
  { readonly definition: unknown }
>(
  'find-run-definition',
  `select v.definition from workflow_runs r
    cross join lateral (select definition from workflow_versions where id = r.version_id limit 1) v
    where r.workspace_id = $1::uuid and r.id = $2::uuid`,
);

/**
 * Purpose: a page of what the nodes of a run did, in the order of their names. Index: workflow_node_runs_pkey.
 * Rows: at most $5.
 */
export const pageNodeRuns = statement<
  [workspaceId: string, runId: string, nodeId: string, iteration: string, limit: number],
  NodeRunRow
>(
  'page-node-runs',
  `select ${NODE_RUN_COLUMNS}
     from workflow_node_runs n
    where run_id = $2::uuid and workspace_id = $1::uuid and (node_id, iteration) > ($3::text, $4::text)
    order by node_id, iteration limit $5`,
);

/** A run as one document. */
export const runDocument = z
  .object({
    run: runView,
    definition: definitionView.describe('Of the version that the run is pinned to.'),
    nodeRuns: z.array(nodeRunView).describe('By node and iteration.'),
    events: z.array(eventView),
  })
  .meta({ id: 'RunDocument' });

/** Who downloads which run. */
export interface Download {
  readonly workspaceId: string;
  readonly runId: string;
  /** Asked before each page: a reader decides how long a download takes. */
  readonly stillAllowed: () => Promise<boolean>;
}

/** Writes a run as one JSON document, for archives and for asking others. */
@Injectable()
export class RunDownloads {
  constructor(
    private readonly db: Db,
    private readonly runs: Runs,
  ) {}

  /**
   * The run as reading shows it, with its definition, node runs and events, in pieces of a page each. The run is read
   * before this answers: a missing one is an error, not a broken file.
   */
  async document(download: Download): Promise<AsyncIterable<string>> {
    const { workspaceId, runId } = download;
    const run = await this.runs.get(workspaceId, runId);
    const [version] = await this.db.tenant(workspaceId, (tx) =>
      tx.query(findRunDefinition, workspaceId, runId),
    );
    const head = JSON.stringify({ run, definition: version?.definition ?? null });
    return this.#pieces(download, head);
  }

  async *#pieces(download: Download, head: string): AsyncIterable<string> {
    yield `${head.slice(0, -1)},"nodeRuns":[`;
    yield* joined(this.#nodeRuns(download));
    yield '],"events":[';
    yield* joined(this.#events(download));
    yield ']}\n';
  }

  async *#nodeRuns(download: Download): AsyncIterable<readonly unknown[]> {
    const { workspaceId, runId } = download;
    for (let last = { nodeId: '', iteration: '' }; ;) {
      await admitted(download);
      const { nodeId, iteration } = last;
      const rows = await this.db.tenant(workspaceId, (tx) =>
        tx.query(pageNodeRuns, workspaceId, runId, nodeId, iteration, PAGE_ROWS),
      );
      yield rows.map(toNodeRun);
      last = rows.at(-1) ?? last;
      if (rows.length < PAGE_ROWS) return;
    }
  }

  async *#events(download: Download): AsyncIterable<readonly unknown[]> {
    const { workspaceId, runId } = download;
    const run = await this.runs.get(workspaceId, runId);
    yield [{ seq: 1, type: 'run.created', at: run.createdAt }];
    for (let after = 1; ;) {
      await admitted(download);
      const seen = after;
      const chunks = await this.db.tenant(workspaceId, (tx) =>
        tx.query(readEvents, workspaceId, runId, seen, EVENT_CHUNKS),
      );
      const events = numbered(chunks).filter(({ seq }) => seq > seen);
      yield events;
      after = events.at(-1)?.seq ?? after;
      if (chunks.length < EVENT_CHUNKS) return;
    }
  }
}

async function admitted({ stillAllowed }: Download): Promise<void> {
  if (await stillAllowed()) return;
  const detail = 'The download ended early: whoever asked for it may no longer read runs.';
  throw new AppError(platformErrors.forbidden, { detail });
}

/** Pages of values as the inside of one JSON array. */
async function* joined(pages: AsyncIterable<readonly unknown[]>): AsyncIterable<string> {
  let isFirst = true;
  for await (const page of pages) {
    if (page.length === 0) continue;
    const text = page.map((value) => JSON.stringify(value)).join(',');
    yield isFirst ? text : `,${text}`;
    isFirst = false;
  }
}
