import type { Clock, Db, Tx } from '#platform';
import { type Obstacle, obstacleToMigration, type RecordedNodeRun } from '../definition/migration';
import type { WorkflowDefinition } from '../definition/schema';
import { channels } from './channels';
import { listRecorded, lockPinnedElsewhere, pinRuns } from './sql/migrate-runs.sql';
import { notify } from './sql/notify.sql';
import { readVersions } from './versions';

/** As many ids as fit into a notification. */
const BATCH = 200;

/** The version that runs are to go on with. */
export interface MigrationTarget {
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly versionId: string;
  readonly number: number;
  readonly definition: WorkflowDefinition;
}

/** What became of a batch. */
export interface MigratedBatch {
  readonly migrated: number;
  /** Why the others stay. */
  readonly stayed: readonly Obstacle['reason'][];
  /** The last run that was looked at; null when none is left. */
  readonly lastId: string | null;
}

/**
 * Lets runs that wait go on with another version where that is proven safe. A run is held by its queue row from before
 * it is looked at until it is pinned, and whoever claims a run that waited reads its version anew. Each batch is a
 * transaction of its own: broken off in the middle, what is done is done and the rest is as it was.
 */
export class RunMigration {
  readonly #definitions = new Map<string, WorkflowDefinition>();
  /** Many runs wait at the same node of the same version: that is judged once. */
  readonly #judged = new Map<string, Obstacle | null>();

  constructor(
    private readonly services: { readonly db: Db; readonly clock: Clock },
    private readonly cellId: string,
    private readonly target: MigrationTarget,
  ) {}

  /** Looks at the next runs behind that one. */
  batch(afterId: string | null): Promise<MigratedBatch> {
    const { workspaceId, workflowId, versionId } = this.target;
    return this.services.db.cell(this.cellId, async (tx) => {
      const held = await tx.query(lockPinnedElsewhere, workspaceId, workflowId, versionId, afterId, BATCH);
      if (held.length === 0) return { migrated: 0, stayed: [], lastId: null };
      const recorded = grouped(
        await tx.query(
          listRecorded,
          held.map(({ runId }) => runId),
        ),
      );
      await this.#load(tx, new Set(held.map((run) => run.versionId)));
      const verdicts = held.map((run) => ({
        runId: run.runId,
        obstacle: this.#obstacle(run.versionId, recorded.get(run.runId) ?? []),
      }));
      const safe = verdicts.filter(({ obstacle }) => obstacle === null).map(({ runId }) => runId);
      const migrated = safe.length === 0 ? 0 : await this.#pin(tx, safe);
      const stayed = verdicts.flatMap(({ obstacle }) => (obstacle ? [obstacle.reason] : []));
      return { migrated, stayed, lastId: held.length < BATCH ? null : (held.at(-1)?.runId ?? null) };
    });
  }

  async #pin(tx: Tx, runIds: readonly string[]): Promise<number> {
    const { versionId, number } = this.target;
    const event = { type: 'run.migrated', at: this.services.clock.now().toISOString(), version: number };
    const pinned = await tx.query(pinRuns, runIds, versionId, JSON.stringify(event));
    await tx.query(notify, channels.progress(this.cellId), runIds.join(','));
    return pinned.length;
  }

  #obstacle(versionId: string, recorded: readonly RecordedNodeRun[]): Obstacle | null {
    const key = [versionId, ...recorded.map(({ nodeId, status }) => `${nodeId} ${status}`)].join('\n');
    const known = this.#judged.get(key);
    if (known !== undefined) return known;
    const before = this.#definitions.get(versionId);
    if (!before) throw new Error(`Version ${versionId} is not there.`);
    const obstacle = obstacleToMigration(before, this.target.definition, recorded);
    this.#judged.set(key, obstacle);
    return obstacle;
  }

  async #load(tx: Tx, ids: ReadonlySet<string>): Promise<void> {
    const missing = [...ids].filter((id) => !this.#definitions.has(id));
    if (missing.length === 0) return;
    for (const { id, definition } of await tx.query(readVersions, missing)) {
      this.#definitions.set(id, definition);
    }
  }
}

function grouped(
  rows: readonly (RecordedNodeRun & { readonly runId: string })[],
): ReadonlyMap<string, readonly RecordedNodeRun[]> {
  const byRun = new Map<string, RecordedNodeRun[]>();
  for (const { runId, nodeId, status } of rows) {
    const others = byRun.get(runId);
    if (others) others.push({ nodeId, status });
    else byRun.set(runId, [{ nodeId, status }]);
  }
  return byRun;
}
