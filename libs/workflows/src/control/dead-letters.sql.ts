import { statement } from '#platform';

/** What is kept of a run that failed. */
export interface DeadLetterRow {
  readonly runId: string;
  readonly workflowId: string;
  readonly versionId: string;
  readonly versionNumber: number;
  readonly triggerNode: string;
  readonly triggerKind: string;
  readonly startedBy: string;
  readonly error: unknown;
  readonly createdAt: Date;
  readonly failedAt: Date;
  readonly state: 'open' | 'requeued' | 'discarded';
  readonly requeuedRunId: string | null;
  readonly settledAt: Date | null;
  readonly settledBy: string | null;
  readonly errorRunId: string | null;
}

/** Which letters are meant; null where it does not matter. */
export type LetterFilter = readonly [
  workspaceId: string,
  workflowId: string | null,
  errorCode: string | null,
  state: DeadLetterRow['state'] | null,
  failedFrom: Date | null,
  failedTo: Date | null,
];

const COLUMNS = `
  d.run_id as "runId", d.workflow_id as "workflowId", d.version_id as "versionId", v.number as "versionNumber",
  d.trigger_node as "triggerNode", d.trigger_kind as "triggerKind", d.started_by as "startedBy", d.error,
  d.created_at as "createdAt", d.failed_at as "failedAt", d.state, d.requeued_run_id as "requeuedRunId",
  d.settled_at as "settledAt", d.settled_by as "settledBy", d.error_run_id as "errorRunId"`;

const VERSION = `cross join lateral (select number from workflow_versions where id = d.version_id limit 1) v`;

/**
 * Null parameters are made into the ends of what there is, so that a prepared plan can go by the index: with `is null or`
 * it could not. No instant of the engine is finer than a millisecond, and neither is a cursor.
 */
const FILTER = `
       ($3::text is null or error_code = $3::text) and ($4::text is null or state = $4::text)
   and failed_at >= coalesce($5::timestamptz, '-infinity') and failed_at < coalesce($6::timestamptz, 'infinity')`;

/**
 * Purpose: a page of a workspace's dead letters, the last that failed first. Locks: none.
 * Index: dead_letters_workspace_id_failed_at_idx, backwards until the page is full; the other filters are applied on the way.
 * Rows: at most $9.
 */
export const listLetters = statement<
  [...LetterFilter, beforeFailedAt: Date | null, beforeId: string | null, limit: number],
  DeadLetterRow
>(
  'list-dead-letters',
  `select ${COLUMNS}
     from (select * from dead_letters
            where workspace_id = $1::uuid and ($2::uuid is null or workflow_id = $2::uuid) and ${FILTER}
              and (failed_at, run_id) < (coalesce($7::timestamptz, 'infinity'),
                                         coalesce($8::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
            order by failed_at desc, run_id desc limit $9::integer) d ${VERSION}
    order by d.failed_at desc, d.run_id desc`,
);

/** Purpose: the same of one workflow. Index: dead_letters_workflow_id_failed_at_idx; otherwise as list-dead-letters. */
export const listLettersOfWorkflow: typeof listLetters = statement(
  'list-dead-letters-of-workflow',
  `select ${COLUMNS}
     from (select * from dead_letters
            where workflow_id = $2::uuid and workspace_id = $1::uuid and ${FILTER}
              and (failed_at, run_id) < (coalesce($7::timestamptz, 'infinity'),
                                         coalesce($8::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
            order by failed_at desc, run_id desc limit $9::integer) d ${VERSION}
    order by d.failed_at desc, d.run_id desc`,
);

/** A dead letter with what is needed to begin again. */
export interface FullLetter extends DeadLetterRow {
  readonly input: unknown;
}

/** Purpose: one dead letter with its input. Locks: none. Index: dead_letters_pkey. Rows: one or none. */
export const findLetter = statement<[workspaceId: string, runId: string], FullLetter>(
  'find-dead-letter',
  `select ${COLUMNS}, d.input from dead_letters d ${VERSION} where d.run_id = $2::uuid and d.workspace_id = $1::uuid`,
);

/**
 * Purpose: open letters to take up, the first that failed first; none that comes after the asking, so that a run which
 * was taken up and fails again is not taken up once more. Locks: none: whoever takes one up locks it.
 * Index: dead_letters_workspace_id_failed_at_idx from the position on; the other filters are applied on the way. Rows: at most $8.
 */
export const listOpenLetters = statement<
  [
    workspaceId: string,
    workflowId: string | null,
    errorCode: string | null,
    failedFrom: Date | null,
    failedTo: Date | null,
    afterFailedAt: Date | null,
    afterId: string | null,
    limit: number,
    asOf: Date | null,
  ],
  Pick<
    FullLetter,
    'runId' | 'workflowId' | 'versionId' | 'triggerNode' | 'triggerKind' | 'input' | 'failedAt'
  > & { readonly asOf: Date }
>(
  'list-open-dead-letters',
  `select run_id as "runId", workflow_id as "workflowId", version_id as "versionId", trigger_node as "triggerNode",
          trigger_kind as "triggerKind", input, failed_at as "failedAt", coalesce($9::timestamptz, now()) as "asOf"
     from dead_letters
    where workspace_id = $1::uuid and ($2::uuid is null or workflow_id = $2::uuid)
      and ($3::text is null or error_code = $3::text) and state = 'open'
      and failed_at >= coalesce($4::timestamptz, '-infinity') and failed_at < least($5::timestamptz, coalesce($9::timestamptz, now()))
      and (failed_at, run_id) > (coalesce($6::timestamptz, '-infinity'),
                                 coalesce($7::uuid, '00000000-0000-0000-0000-000000000000'))
    order by failed_at, run_id limit $8::integer`,
);

/**
 * Purpose: nothing more is to become of a run that failed. No row: the letter is not open, or not there.
 * Locks: the letter. Index: dead_letters_pkey. Rows: one or none.
 */
export const discardLetter = statement<
  [workspaceId: string, runId: string, by: string, now: Date | null],
  { readonly runId: string }
>(
  'discard-dead-letter',
  `update dead_letters
      set state = 'discarded', settled_by = $3::text, settled_at = coalesce($4::timestamptz, now())
    where run_id = $2::uuid and workspace_id = $1::uuid and state = 'open'
   returning run_id as "runId"`,
);
