import type { Db } from '#platform';
import { statement } from '#platform';
import { ChildRuns, type ChildRequest, type ChildStart } from '../engine/child-runs';
import type { RunStarter } from '../engine/run-starter';

const publishedVersion = statement<[workflowId: string], { readonly versionId: string }>(
  'test-published-version',
  'select published_version_id as "versionId" from workflows where id = $1::uuid',
);

/** Calls of workflows for tests of the engine alone: the trigger is the node `start`, nothing else is asked. */
export class CalledDirectly extends ChildRuns {
  constructor(
    private readonly db: Db,
    private readonly cellId: string,
    private readonly starter: RunStarter,
  ) {
    super();
  }

  async start({ caller, attempt, ...request }: ChildRequest): Promise<ChildStart> {
    const [version] = await this.db.execute(this.cellId, publishedVersion, request.workflowId);
    if (!version)
      return { kind: 'failed', error: { code: 'test.no_workflow', message: 'No such workflow.' } };
    const { runId, nodeId, iteration } = caller;
    const result = await this.starter.start({
      workspaceId: request.workspaceId,
      workflowId: request.workflowId,
      versionId: version.versionId,
      triggerNode: 'start',
      triggerKind: 'trigger.manual',
      startedBy: `run:${runId}`,
      input: JSON.stringify(request.input),
      idempotency: { key: `${runId} ${nodeId} ${iteration} ${attempt}`, requestHashHex: '00'.repeat(32) },
      origin: { ...(request.wait ? { parent: caller } : { startedByRun: runId }), depth: request.depth },
    });
    if (result.kind === 'started' || result.kind === 'replayed')
      return { kind: 'started', runId: result.runId };
    return { kind: 'failed', error: { code: 'test.refused', message: result.kind } };
  }
}
