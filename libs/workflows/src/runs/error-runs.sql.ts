import { statement } from '#platform';
import type { JsonValue } from '../definition/json';

/** A run that failed, and the workflow that is to hear of it. */
export interface UnheardFailure {
  readonly runId: string;
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly errorWorkflowId: string;
  readonly triggerKind: string;
  readonly startedBy: string;
  readonly input: JsonValue;
  readonly error: JsonValue;
  readonly createdAt: Date;
  readonly failedAt: Date;
}

/**
 * Purpose: failures that a workflow is to hear of now, the longest waiting first.
 * Index: dead_letters_tell_at_idx. Rows: at most $2.
 */
export const listUnheard = statement<[now: Date | null, limit: number], UnheardFailure>(
  'list-unheard-failures',
  `select run_id as "runId", workspace_id as "workspaceId", workflow_id as "workflowId",
          error_workflow_id as "errorWorkflowId", trigger_kind as "triggerKind", started_by as "startedBy", input, error,
          created_at as "createdAt", failed_at as "failedAt"
     from dead_letters where tell_at <= coalesce($1::timestamptz, now())
    order by tell_at limit $2`,
);

/** Purpose: notes which run tells of a failure. Index: dead_letters_pkey. */
export const setErrorRun = statement<[runId: string, errorRunId: string]>(
  'set-error-run',
  `update dead_letters set error_run_id = $2::uuid, tell_at = null where run_id = $1::uuid`,
);

/** Purpose: puts off telling of a failure, for so many seconds; for good with null. Index: dead_letters_pkey. */
export const putOffErrorRun = statement<[runId: string, now: Date | null, seconds: number | null]>(
  'put-off-error-run',
  `update dead_letters set tell_at = coalesce($2::timestamptz, now()) + make_interval(secs => $3)
    where run_id = $1::uuid`,
);
