import { Injectable } from '@nestjs/common';
import { AppError, isOutage, outlastOutage } from '#platform';
import { PublishedWorkflows } from '../catalog/published-workflows.service';
import { ChildRuns, type ChildRequest, type ChildStart } from '../engine/child-runs';
import { runLimits } from '../engine/limits';
import type { RunOrigin } from '../engine/run-origin';
import type { NodeFailure } from '../nodes/node-kind';
import { Runs } from './runs.service';

/** By which trigger a workflow is called: its own for that, else the one for starts by hand. */
const TRIGGERS = ['trigger.workflow', 'trigger.manual'] as const;

/** Starts runs that nodes of other runs call, through the same door as all others: quota and limits hold for them. */
@Injectable()
export class CalledWorkflows extends ChildRuns {
  constructor(
    private readonly runs: Runs,
    private readonly published: PublishedWorkflows,
  ) {
    super();
  }

  async start(request: ChildRequest): Promise<ChildStart> {
    if (request.depth > runLimits.callDepth) return tooDeep();
    try {
      return await outlastOutage(request.signal, () => this.#start(request));
    } catch (error) {
      if (isOutage(error)) return { kind: 'failed', error: { code: 'node.aborted', message: 'Given up.' } };
      if (!(error instanceof AppError)) throw error;
      return refused(error);
    }
  }

  async #start(request: ChildRequest): Promise<ChildStart> {
    const { workspaceId, workflowId, caller } = request;
    const version = await this.published.current(workspaceId, workflowId);
    const triggerType =
      TRIGGERS.find((wanted) => version?.triggers.some(({ type }) => type === wanted)) ?? TRIGGERS[0];
    const { id } = await this.runs.start({
      workspaceId,
      workflowId,
      triggerType,
      triggerNode: null,
      startedBy: `run:${caller.runId}`,
      input: request.input,
      priority: null,
      // No key that a person sends can be the same: headers hold no such character.
      key: {
        key: `§call ${caller.runId} ${caller.nodeId} ${caller.iteration} ${request.attempt}`,
        lasting: true,
      },
      origin: originOf(request),
    });
    return { kind: 'started', runId: id };
  }
}

function originOf({ caller, depth, wait }: ChildRequest): RunOrigin {
  return wait ? { parent: caller, depth } : { startedByRun: caller.runId, depth };
}

function tooDeep(): NodeFailure {
  const message = `More than ${runLimits.callDepth} workflows call one another. Does a workflow run itself?`;
  return { kind: 'failed', error: { code: 'node.calls_too_deep', message }, retryable: false };
}

/** Why the workflow does not start, in the words of the door. A limit may pass. */
function refused({ type, context }: AppError): NodeFailure {
  return {
    kind: 'failed',
    error: { code: 'node.call_refused', message: context.detail, details: { code: type.code } },
    retryable: type.kind === 'limit',
  };
}
