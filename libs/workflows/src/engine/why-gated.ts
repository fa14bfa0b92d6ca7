import type { Tx } from '#platform';
import { whyGatedRun } from './sql/why-gated.sql';

/** A limit that holds for a run, and who stands before it there. */
interface Place {
  readonly limit: number;
  readonly executing: number;
  /** Runs that come before this one; counted up to a thousand. */
  readonly ahead: number;
}

/** What a run that has not been let through waits for. Null where nothing of the kind limits it. */
export interface WhyGated {
  /** Up to five of the runs that hold the slots; a run that has its own slot waits for none. */
  readonly key: {
    readonly limit: number;
    readonly holders: readonly string[];
    readonly ahead: number;
  } | null;
  readonly workflow: Place | null;
  readonly workspace: Place | null;
  /** The workflow is paused. */
  readonly paused: boolean;
}

/** What keeps a run from beginning or going on; null when it is not live, or not kept. */
export async function whyGated(tx: Tx, runId: string): Promise<WhyGated | null> {
  const [row] = await tx.query(whyGatedRun, runId);
  if (!row || (row.state !== 'gated' && row.state !== 'paused')) return null;
  const place = (limit: number | null, executing: number, ahead: number) =>
    limit === null ? null : { limit, executing, ahead };
  return {
    key:
      row.keyLimit === null || row.keyHeld
        ? null
        : { limit: row.keyLimit, holders: row.keyHolders, ahead: row.keyAhead },
    workflow: place(row.workflowLimit, row.workflowExecuting, row.workflowAhead),
    workspace: place(row.workspaceLimit, row.workspaceExecuting, row.workspaceAhead),
    paused: row.paused,
  };
}
