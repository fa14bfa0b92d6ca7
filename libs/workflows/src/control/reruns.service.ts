import { Injectable } from '@nestjs/common';
import { AppError, Db, type IdempotencyKey, type Principal, principalKey } from '#platform';
import { PublishedWorkflows, type StartableVersion } from '../catalog/published-workflows.service';
import { keptNodes, type NoBeginning } from '../definition/kept-nodes';
import type { RunOrigin } from '../engine/run-origin';
import { runErrors } from '../errors';
import { type AcceptedRun, Runs } from '../runs/runs.service';
import { findDefinition, findRerunSource, listNodesOfRun, type RerunSource } from './rerun.sql';
import type { Rerun, VersionChoice } from './rerun.dto';

/** What another run is started from: a run, or what is kept of one that failed. */
export type Again = Pick<RerunSource, 'workflowId' | 'versionId' | 'triggerNode' | 'triggerKind' | 'input'>;

/** Does runs again: as new runs, accepted, counted and limited like any other. */
@Injectable()
export class Reruns {
  constructor(
    private readonly db: Db,
    private readonly runs: Runs,
    private readonly published: PublishedWorkflows,
  ) {}

  /**
   * Starts a run with the input of an earlier one: whole, or from a node on with the results of all that does not come
   * behind it. A live run may be rerun whole, but has not got the results to begin from a node.
   */
  async rerun(
    { workspaceId, runId, principal }: { workspaceId: string; runId: string; principal: Principal },
    { from, version }: Rerun,
    key: IdempotencyKey | null,
  ): Promise<AcceptedRun> {
    const [source] = await this.db.tenant(workspaceId, (tx) => tx.query(findRerunSource, workspaceId, runId));
    if (!source) throw new AppError(runErrors.not_found, { detail: 'There is no such run.' });
    const nodeIds = from === undefined ? null : await this.#kept(workspaceId, source, from);
    return this.runs.startVersion(await this.versionFor(workspaceId, source, version), {
      ...startOf(source),
      workspaceId,
      startedBy: principalKey(principal),
      priority: null,
      key: key && { key: key.key, lasting: false, also: [`rerun ${runId}`, from ?? '', version] },
      origin: { ...originOf(source), rerunOf: runId, ...(from !== undefined && { from }) },
      ...(nodeIds && { resultsOf: { runId, nodeIds } }),
    });
  }

  /** The version that a further run is to have. Throws when the workflow may not be run any more. */
  async versionFor(workspaceId: string, source: Again, choice: VersionChoice): Promise<StartableVersion> {
    const { workflowId, versionId } = source;
    const published = await this.runs.runnable(workspaceId, workflowId);
    if (choice === 'published' || published.versionId === versionId) return published;
    const version = await this.published.version(workspaceId, workflowId, versionId);
    if (!version) throw new Error(`Version ${versionId} of workflow ${workflowId} is not there.`);
    return version;
  }

  async #kept(workspaceId: string, source: RerunSource, from: string): Promise<readonly string[]> {
    const { runId, versionId, outcome } = source;
    if (outcome === null) {
      throw new AppError(runErrors.not_finished, {
        detail: 'The run is still going on, and its results may change. Cancel it first, or rerun it whole.',
      });
    }
    return this.db.tenant(workspaceId, async (tx) => {
      const [version] = await tx.query(findDefinition, workspaceId, versionId);
      if (!version) throw new Error(`Version ${versionId} is not there.`);
      const found = keptNodes(version.definition, await tx.query(listNodesOfRun, workspaceId, runId), from);
      if ('reason' in found) throw noBeginning(from, found.reason);
      return found.kept;
    });
  }
}

/** The parts of a start that a further run has in common with the one before. */
export function startOf({ workflowId, triggerNode, triggerKind, input }: Again) {
  return { workflowId, triggerNode, triggerType: triggerKind, input };
}

/**
 * What a further run has of the origin of the one before. Nobody waits for it; but how deep it stands among calls, and
 * that it tells of another's failure, is still true.
 */
function originOf({ origin }: RerunSource): RunOrigin {
  const { depth, errorOf } = origin ?? {};
  return { ...(depth !== undefined && { depth }), ...(errorOf !== undefined && { errorOf }) };
}

const WHY: Readonly<Record<NoBeginning, (from: string) => string>> = {
  unknown: (from) => `The version of this run has no node "${from}".`,
  in_body: (from) => `The node "${from}" is inside a loop, which is done again as a whole: name the loop.`,
  not_reached: (from) => `The run never came to the node "${from}", so nothing could begin there.`,
};

function noBeginning(from: string, reason: NoBeginning): AppError {
  const detail = WHY[reason](from);
  return new AppError(runErrors.rerun_from_invalid, {
    detail,
    meta: { reason },
    problems: [{ pointer: '/from', code: reason, message: detail }],
  });
}
