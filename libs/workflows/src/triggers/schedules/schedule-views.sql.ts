import { statement } from '#platform';
import type { JsonObject } from '../../definition/json';

/** A schedule as people see it. */
export interface ScheduleRow {
  readonly id: string;
  readonly workflowId: string;
  readonly nodeId: string;
  readonly state: 'active' | 'paused' | 'finished' | 'retired';
  readonly params: JsonObject;
  readonly dueAt: Date | null;
  readonly fireAt: Date | null;
  readonly waitingDueAt: Date | null;
  readonly lastDueAt: Date | null;
  readonly lastRunId: string | null;
  readonly fires: number;
  readonly pausedAt: Date | null;
  readonly pausedUntil: Date | null;
  readonly pausedBy: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The database's time, by which schedules go. */
  readonly now: Date;
}

const NOW = 'coalesce($1::timestamptz, now())';

/** A pause that had an end is over by itself. */
const IS_PAUSED = `paused_at is not null and coalesce(paused_until > ${NOW}, true)`;

const STATE = `case when version_id is null then 'retired' when ${IS_PAUSED} then 'paused'
                    when due_at is null and waiting_due_at is null then 'finished' else 'active' end`;

const COLUMNS = `id, workflow_id as "workflowId", node_id as "nodeId", ${STATE} as state, params, due_at as "dueAt",
          fire_at as "fireAt", waiting_due_at as "waitingDueAt", last_due_at as "lastDueAt", last_run_id as "lastRunId",
          fires::integer,
          case when ${IS_PAUSED} then paused_at end as "pausedAt",
          case when ${IS_PAUSED} then paused_until end as "pausedUntil",
          case when ${IS_PAUSED} then paused_by end as "pausedBy",
          created_at as "createdAt", updated_at as "updatedAt", ${NOW} as now`;

/**
 * Purpose: a page of a workspace's schedules in the order in which they were made. Locks: none.
 * Index: workflow_schedules_workspace_id_workflow_id_version_id_idx; a workspace has few, so they are sorted. `offset 0` keeps
 * the planner from walking through those of all workspaces in order. Rows: at most $6.
 */
export const listSchedules = statement<
  [
    now: Date | null,
    workspaceId: string,
    workflowId: string | null,
    state: ScheduleRow['state'] | null,
    afterId: string | null,
    limit: number,
  ],
  ScheduleRow
>(
  'list-schedules',
  `select * from (
     select ${COLUMNS} from workflow_schedules
      where workspace_id = $2::uuid and ($3::uuid is null or workflow_id = $3::uuid) offset 0) s
    where id > coalesce($5::uuid, '00000000-0000-0000-0000-000000000000')
      and ($4::text is null and state <> 'retired' or state = $4::text)
    order by id limit $6::integer`,
);

/** Purpose: one schedule. Locks: none. Index: workflow_schedules_pkey. Rows: one or none. */
export const findSchedule = statement<[now: Date | null, workspaceId: string, id: string], ScheduleRow>(
  'find-schedule',
  `select ${COLUMNS} from workflow_schedules where id = $3::uuid and workspace_id = $2::uuid`,
);

/**
 * Purpose: the same, taken into this transaction's hands: it does not fire before that ends. Waits for a scheduler that
 * fires it. Locks: the row. Index: workflow_schedules_pkey. Rows: one or none.
 */
export const lockSchedule: typeof findSchedule = statement(
  'lock-schedule',
  `${findSchedule.text} for update`,
);

/**
 * Purpose: pauses a schedule: for good without an instant, else with the first occurrence behind it as the next one. What
 * waited for a run waits no more. Locks: the row, held already. Index: workflow_schedules_pkey. Rows: one.
 */
export const pauseSchedule = statement<
  [id: string, by: string, until: Date | null, dueAt: string | null, fireAt: string | null, now: Date | null]
>(
  'pause-schedule',
  `update workflow_schedules
      set paused_at = coalesce($6::timestamptz, now()), paused_by = $2::text, paused_until = $3::timestamptz,
          due_at = $4::timestamptz, fire_at = $5::timestamptz, waiting_due_at = null,
          updated_at = coalesce($6::timestamptz, now())
    where id = $1::uuid`,
);

/**
 * Purpose: lets a schedule go on with its next occurrence; failures before now do not count any more. Locks: the row, held
 * already. Index: workflow_schedules_pkey. Rows: one.
 */
export const resumeSchedule = statement<
  [id: string, dueAt: string | null, fireAt: string | null, now: Date | null]
>(
  'resume-schedule',
  `update workflow_schedules
      set paused_at = null, paused_by = null, paused_until = null, due_at = $2::timestamptz, fire_at = $3::timestamptz,
          forgiven_at = coalesce($4::timestamptz, now()), updated_at = coalesce($4::timestamptz, now())
    where id = $1::uuid`,
);

/** What became of an occurrence. */
export interface FireView {
  readonly dueAt: Date;
  /** With its microseconds. */
  readonly dueAtText: string;
  readonly outcome: 'started' | 'waiting' | 'skipped' | 'missed' | 'refused' | 'failed';
  readonly runId: string | null;
  readonly untilAt: Date | null;
  readonly occurrences: number | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly manual: boolean;
  readonly firedAt: Date;
}

/** Purpose: a page of what became of a schedule's occurrences, the last due first. Index: schedule_fires_pkey, backwards. Rows: at most $4. */
export const listFires = statement<
  [workspaceId: string, scheduleId: string, beforeDueAt: string | null, limit: number],
  FireView
>(
  'list-schedule-fires',
  `select due_at as "dueAt", due_at::text as "dueAtText", outcome, run_id as "runId", until_at as "untilAt", occurrences, reason, detail, manual,
          fired_at as "firedAt"
     from schedule_fires
    where schedule_id = $2::uuid and workspace_id = $1::uuid
      and due_at < coalesce($3::timestamptz, 'infinity')
    order by due_at desc limit $4::integer`,
);

/**
 * Purpose: keeps a fire that a person asked for. Its instant is some microseconds behind a whole millisecond, where no
 * schedule has an occurrence, and behind that of any other in the same millisecond. Locks: none but the row; the caller
 * holds the schedule. Index: schedule_fires_pkey. Rows: one.
 */
export const recordManualFire = statement<
  [scheduleId: string, workspaceId: string, runId: string, now: Date | null],
  { readonly dueAt: Date }
>(
  'record-manual-fire',
  `with at as (select coalesce($4::timestamptz, now()) as now,
                      date_trunc('milliseconds', coalesce($4::timestamptz, now())) as millisecond)
   insert into schedule_fires (schedule_id, workspace_id, due_at, outcome, run_id, manual, fired_at)
   select $1::uuid, $2::uuid,
          coalesce((select f.due_at from schedule_fires f
                     where f.schedule_id = $1::uuid and f.due_at > at.millisecond
                       and f.due_at < at.millisecond + interval '1 millisecond'
                     order by f.due_at desc limit 1), at.millisecond) + interval '1 microsecond',
          'started', $3::uuid, true, at.now
     from at
   returning due_at as "dueAt"`,
);

/** Purpose: remembers the run that was started by hand. Locks: the row, held already. Index: workflow_schedules_pkey. Rows: one. */
export const setLastRun = statement<[id: string, runId: string]>(
  'set-last-run-of-schedule',
  `update workflow_schedules set last_run_id = $2::uuid where id = $1::uuid`,
);
