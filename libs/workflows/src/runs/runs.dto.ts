import { z } from 'zod';
import { pageSchema } from '#platform';
import type { RunEvent } from '../engine/run-events';
import { givenLabels } from '../history/labels';
import type { NodeRunRow, RunRow, ShownState } from './read-runs.sql';
import { runStatuses, statusOf } from './run-state';

export const runIdParam = z.uuid().describe('Id of the run.');

/** Body of a start: the trigger's event, and which trigger when the workflow has several. */
export const newRun = z
  .strictObject({
    input: z.json().default({}).describe('What the trigger gives the workflow as `trigger`.'),
    trigger: z
      .string()
      .max(63)
      .optional()
      .describe('Id of the trigger node; needed when the workflow has several manual triggers.'),
    priority: z
      .enum(['low', 'normal', 'high'])
      .optional()
      .describe('Among the runs of the workspace; by default what the workflow says.'),
    labels: givenLabels
      .optional()
      .describe('The run can be found by them. They count more than those of the workflow’s settings.'),
  })
  .meta({ id: 'NewRun' });

export const startedRun = z.object({ id: z.uuid(), status: z.enum(runStatuses) }).meta({ id: 'StartedRun' });

/** How a run or a node failed. */
export const failureView = z
  .object({
    code: z.string(),
    message: z.string(),
    nodeId: z.string().optional(),
    details: z.unknown().optional(),
  })
  .meta({ id: 'RunFailure' });

export const runSummary = z
  .object({
    id: z.uuid(),
    workflowId: z.uuid(),
    version: z.number().int(),
    status: z.enum(runStatuses),
    trigger: z.object({ nodeId: z.string(), type: z.string() }),
    startedBy: z.string().describe('`user:<id>`, `api_key:<id>` or `hook:<id>`.'),
    error: failureView.nullable(),
    labels: z.record(z.string(), z.string()),
    resumeAt: z.iso.datetime().nullable().describe('When a waiting run goes on.'),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'RunSummary' });

export const runView = runSummary.extend({ input: z.unknown(), output: z.unknown() }).meta({ id: 'RunView' });

export const runsPage = pageSchema(runSummary);
export const runsCursor = z.strictObject({ id: z.uuid() });

export const nodeRunView = z
  .object({
    nodeId: z.string(),
    iteration: z.string(),
    status: z.enum(['running', 'waiting', 'succeeded', 'failed', 'skipped', 'canceled']),
    attempts: z.number().int(),
    ports: z.array(z.string()).describe('The output ports taken.'),
    output: z.unknown(),
    error: failureView.nullable(),
    resumeAt: z.iso.datetime().nullable(),
    waitingFor: z
      .enum(['time', 'callback', 'approval', 'retry', 'run', 'decision', 'items'])
      .nullable()
      .describe('What a node that is not settled goes on with; `items` for a loop.'),
    calledRunId: z.uuid().nullable().describe('The run whose end it waits for.'),
    lastError: failureView.nullable().describe('With `retry`: how the last attempt failed.'),
    evidence: z
      .object({ attempt: z.int(), startedAt: z.iso.datetime(), request: z.unknown() })
      .meta({ id: 'AttemptEvidence' })
      .nullable()
      .describe('With `decision`: what is known of the attempt that was interrupted.'),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'NodeRunView' });

export const nodeRunsView = z.object({ data: z.array(nodeRunView) }).meta({ id: 'NodeRuns' });

export const eventView = z
  .object({
    seq: z.number().int().describe('1, 2, 3 … without a gap.'),
    type: z.string(),
    at: z.iso.datetime(),
    nodeId: z.string().optional(),
    resumeAt: z.iso.datetime().optional(),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  })
  .meta({ id: 'RunEvent' });

export const eventsQuery = z.object({
  after: z.coerce
    .number()
    .int()
    .min(0)
    .max(2_147_483_000)
    .default(0)
    .describe('Events behind this number only.'),
});

export const eventsView = z.object({ data: z.array(eventView) }).meta({ id: 'RunEvents' });

export type RunSummary = z.output<typeof runSummary>;
export type RunView = z.output<typeof runView>;
export type NodeRunView = z.output<typeof nodeRunView>;
/** An event with its number. */
export type NumberedEvent = RunEvent & { readonly seq: number };

type Failure = z.output<typeof failureView>;

function iso(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}

export function toSummary(row: RunRow): RunSummary {
  return {
    id: row.id,
    workflowId: row.workflowId,
    version: row.versionNumber,
    status: statusOf(row.outcome, row.queueState),
    trigger: { nodeId: row.triggerNode, type: row.triggerKind },
    startedBy: row.startedBy,
    error: failureOf(row.error),
    labels: row.labels ?? {},
    resumeAt: iso(row.resumeAt),
    createdAt: row.createdAt.toISOString(),
    startedAt: iso(row.startedAt),
    finishedAt: iso(row.finishedAt),
  };
}

export function toView(row: RunRow & { readonly input: unknown; readonly output: unknown }): RunView {
  return { ...toSummary(row), input: row.input, output: row.output };
}

export function toNodeRun(row: NodeRunRow): NodeRunView {
  return {
    nodeId: row.nodeId,
    iteration: row.iteration,
    status: row.status,
    attempts: row.attempts,
    ports: row.ports === '' ? [] : row.ports.split(','),
    output: row.output,
    error: failureOf(row.error),
    resumeAt: iso(row.resumeAt),
    waitingFor: waitingFor(row.state),
    calledRunId: row.state?.runId ?? null,
    lastError: failureOf(row.state?.error),
    evidence: row.state?.kind === 'decision' ? row.state.evidence : null,
    startedAt: row.startedAt.toISOString(),
    finishedAt: iso(row.finishedAt),
  };
}

/** What a node goes on with; null for one that is settled or being executed. */
export function waitingFor(state: ShownState | null): NodeRunView['waitingFor'] {
  if (state === null) return null;
  const { kind } = state;
  switch (kind) {
    case 'attempt':
      return null;
    case 'wait':
      return state.on;
    case 'child':
      return 'run';
    case 'loop':
      return 'items';
    case 'retry':
    case 'decision':
      return kind;
    default:
      return kind satisfies never;
  }
}

/** What the engine wrote is of this shape already. */
export function failureOf(error: unknown): Failure | null {
  const parsed = failureView.safeParse(error);
  return parsed.success ? parsed.data : null;
}
