import { statement } from '#platform';
import type { JsonObject } from '../../definition/json';
import { column, joined } from '../../engine/sql/columns';

/** A schedule whose time has come. */
export interface DueSchedule {
  readonly id: string;
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly nodeId: string;
  readonly versionId: string;
  readonly params: JsonObject;
  readonly dueAt: Date | null;
  readonly waitingDueAt: Date | null;
  readonly lastDueAt: Date | null;
  readonly fires: number;
}

const DUE_COLUMNS = `s.id, s.workspace_id as "workspaceId", s.workflow_id as "workflowId", s.node_id as "nodeId",
          s.version_id as "versionId", s.params, s.due_at as "dueAt", s.waiting_due_at as "waitingDueAt",
          s.last_due_at as "lastDueAt", s.fires::integer`;

/**
 * Whether an occurrence waits, and the run it waits for is over. With a limit, because the planner would read the whole queue
 * into a hash for `not exists`.
 */
const WAITED_LONG_ENOUGH = `s.waiting_due_at is not null
          and (select q.run_id from run_queue q where q.run_id = s.last_run_id limit 1) is null`;

/**
 * Purpose: which schedules have something to do now, the longest due first. Takes no part in a transaction: what is needed
 * for their starts is looked up before there is one. Those that another process has in its hands are passed over, so that
 * several processes share the work. Locks: the rows, until the statement is over. Index: workflow_schedules_fire_at_idx,
 * workflow_schedules_waiting_idx, run_queue_pkey. Rows: at most $2 of each of the two.
 */
export const listDueSchedules = statement<[now: Date | null, limit: number], DueSchedule>(
  'list-due-schedules',
  `with due as (
     select ${DUE_COLUMNS} from workflow_schedules s
      where s.fire_at <= coalesce($1::timestamptz, now())
      order by s.fire_at limit $2::integer for update skip locked
   ), waiting as (
     select ${DUE_COLUMNS} from workflow_schedules s
      where ${WAITED_LONG_ENOUGH}
      order by s.waiting_due_at limit $2::integer for update skip locked
   )
   select * from due union all select * from waiting where id not in (select id from due)`,
);

/**
 * Purpose: how long until the next schedule is due; no row when none is. Locks: none.
 * Index: workflow_schedules_fire_at_idx, its first entry. Rows: one or none.
 */
export const nextScheduleDue = statement<[now: Date | null], { readonly inMs: number }>(
  'next-schedule-due',
  `select (extract(epoch from fire_at - coalesce($1::timestamptz, now())) * 1000)::double precision as "inMs"
     from workflow_schedules where fire_at is not null order by fire_at limit 1`,
);

/**
 * Purpose: takes schedules into this transaction's hands, those of them that still have something to do: nobody else
 * fires, changes or pauses them until it ends. Locks: the rows, in the order of their ids; those in other hands are passed
 * over. Index: workflow_schedules_pkey, run_queue_pkey. Rows: at most those given.
 */
export const lockDueSchedules = statement<
  [ids: readonly string[], now: Date | null],
  DueSchedule & { readonly now: Date }
>(
  'lock-due-schedules',
  `select ${DUE_COLUMNS}, coalesce($2::timestamptz, now()) as now
     from workflow_schedules s
    where s.id = any ($1::uuid[]) and (s.fire_at <= coalesce($2::timestamptz, now()) or ${WAITED_LONG_ENOUGH})
    order by s.id for update of s skip locked`,
);

/** A run that a schedule has started. */
export interface FiredRun {
  readonly scheduleId: string;
  readonly runId: string;
  readonly live: boolean;
  /** Null while it is not over, and once its history is gone. */
  readonly outcome: string | null;
  /** Whether it failed before somebody resumed the schedule, which forgives it. */
  readonly forgiven: boolean;
}

/**
 * Purpose: the last runs of schedules, the newest first, for policies that ask how they went. Locks: none.
 * Index: schedule_fires_pkey (backwards), run_queue_pkey, workflow_runs_pkey of the partition. Rows: at most $2 for each.
 */
export const listFiredRuns = statement<[ids: readonly string[], limit: number], FiredRun>(
  'list-fired-runs',
  `select s.id as "scheduleId", f.run_id as "runId", q.run_id is not null as live, r.outcome,
          f.fired_at < s.forgiven_at as forgiven
     from workflow_schedules s
     cross join lateral (
       select run_id, due_at, fired_at from schedule_fires
        where schedule_id = s.id and outcome = 'started' order by due_at desc limit $2::integer) f
     left join lateral (select run_id from run_queue where run_id = f.run_id limit 1) q on true
     left join lateral (select outcome from workflow_runs where id = f.run_id limit 1) r on true
    where s.id = any ($1::uuid[])
    order by s.id, f.due_at desc`,
);

/**
 * Purpose: which of these occurrences have a row already, whatever became of them. Only a change of the schedule by its
 * author can bring one up a second time. Locks: none; the caller holds the schedules. Index: schedule_fires_pkey.
 * Rows: at most those given.
 */
export const listKnownFires = statement<
  [scheduleIds: string, dueAt: string],
  { readonly scheduleId: string; readonly dueAt: Date }
>(
  'list-known-fires',
  `select f.schedule_id as "scheduleId", f.due_at as "dueAt"
     from unnest(${column(1, 'uuid')}, ${column(2, 'timestamptz')}) as u (schedule_id, due_at)
     join schedule_fires f on f.schedule_id = u.schedule_id and f.due_at = u.due_at
    where f.outcome <> 'waiting'`,
);

/** What became of an occurrence, as it is kept. */
export interface FireRow {
  readonly scheduleId: string;
  readonly workspaceId: string;
  readonly dueAt: string;
  readonly outcome: 'started' | 'waiting' | 'skipped' | 'missed' | 'refused' | 'failed';
  readonly runId: string | null;
  readonly untilAt: string | null;
  readonly occurrences: number | null;
  readonly reason: string | null;
  readonly detail: string | null;
}

type FireParams = [
  scheduleIds: string,
  workspaceIds: string,
  dueAt: string,
  outcomes: string,
  runIds: string,
  untilAt: string,
  occurrences: string,
  reasons: string,
  details: string,
  now: Date | null,
];

/**
 * Purpose: keeps what became of occurrences. One that waited gets its end; any other that is there already gives no row, and
 * the caller gives up its transaction with the run in it. Locks: none but the rows. Index: schedule_fires_pkey. Rows: those given.
 */
export const recordFires = statement<FireParams, { readonly one: number }>(
  'record-fires',
  `insert into schedule_fires as f (schedule_id, workspace_id, due_at, outcome, run_id, until_at, occurrences, reason,
                                    detail, fired_at)
   select u.*, coalesce($10::timestamptz, now())
     from unnest(${column(1, 'uuid')}, ${column(2, 'uuid')}, ${column(3, 'timestamptz')}, ${column(4, 'text')},
                 ${column(5, 'uuid')}, ${column(6, 'timestamptz')}, ${column(7, 'integer')}, ${column(8, 'text')},
                 ${column(9, 'text')}) as u
   on conflict (schedule_id, due_at) do update
     set outcome = excluded.outcome, run_id = excluded.run_id, reason = excluded.reason, detail = excluded.detail,
         fired_at = excluded.fired_at
     where f.outcome = 'waiting'
   returning 1 as one`,
);

/** The parameters of `record-fires`. */
export function recordFiresParams(rows: readonly FireRow[], now: Date | null): FireParams {
  return [
    joined(rows, (row) => row.scheduleId),
    joined(rows, (row) => row.workspaceId),
    joined(rows, (row) => row.dueAt),
    joined(rows, (row) => row.outcome),
    joined(rows, (row) => row.runId),
    joined(rows, (row) => row.untilAt),
    joined(rows, (row) => row.occurrences),
    joined(rows, (row) => row.reason),
    joined(rows, (row) => row.detail),
    now,
  ];
}

/** Where a schedule stands after a round. */
export interface Advance {
  readonly id: string;
  readonly dueAt: string | null;
  readonly fireAt: string | null;
  readonly waitingDueAt: string | null;
  readonly lastDueAt: string | null;
  readonly lastRunId: string | null;
  /** Runs that were started in it. */
  readonly fires: number;
  /** It has failed so often that it stops. */
  readonly pauses: boolean;
}

type AdvanceParams = [
  ids: string,
  dueAt: string,
  fireAt: string,
  waitingDueAt: string,
  lastDueAt: string,
  lastRunIds: string,
  fires: string,
  pauses: string,
  now: Date | null,
];

/**
 * Purpose: moves schedules to their next occurrence, in the transaction that has fired the ones before. Whoever was to be
 * paused until now is not any more. Locks: the rows, which the caller holds. Index: workflow_schedules_pkey.
 * Rows: those given.
 */
export const advanceSchedules = statement<AdvanceParams>(
  'advance-schedules',
  `update workflow_schedules s
      set due_at = u.due_at, fire_at = u.fire_at, waiting_due_at = u.waiting_due_at,
          last_due_at = coalesce(u.last_due_at, s.last_due_at), last_run_id = coalesce(u.last_run_id, s.last_run_id),
          fires = s.fires + u.fires, updated_at = coalesce($9::timestamptz, now()),
          paused_at = case when u.pauses then coalesce($9::timestamptz, now()) end,
          paused_by = case when u.pauses then 'failures' end, paused_until = null
     from unnest(${column(1, 'uuid')}, ${column(2, 'timestamptz')}, ${column(3, 'timestamptz')},
                 ${column(4, 'timestamptz')}, ${column(5, 'timestamptz')}, ${column(6, 'uuid')},
                 ${column(7, 'integer')}, ${column(8, 'boolean')})
          as u (id, due_at, fire_at, waiting_due_at, last_due_at, last_run_id, fires, pauses)
    where s.id = u.id`,
);

/** The parameters of `advance-schedules`. */
export function advanceParams(rows: readonly Advance[], now: Date | null): AdvanceParams {
  return [
    joined(rows, (row) => row.id),
    joined(rows, (row) => row.dueAt),
    joined(rows, (row) => row.fireAt),
    joined(rows, (row) => row.waitingDueAt),
    joined(rows, (row) => row.lastDueAt),
    joined(rows, (row) => row.lastRunId),
    joined(rows, (row) => row.fires),
    joined(rows, (row) => String(row.pauses)),
    now,
  ];
}

/**
 * Purpose: looks at schedules again later, because they cannot be fired at present. Nothing is lost: what is due meanwhile is
 * met by its policy then. An occurrence that waited for a run waits no more. Locks: the rows. Index: workflow_schedules_pkey,
 * schedule_fires_pkey. Rows: at most those given, and one fire each.
 */
export const putOffSchedule = statement<[ids: readonly string[], now: Date | null, seconds: number]>(
  'put-off-schedules',
  `with put_off as (
     update workflow_schedules
        set fire_at = case when fire_at <= coalesce($2::timestamptz, now())
                           then coalesce($2::timestamptz, now()) + make_interval(secs => $3) else fire_at end,
            waiting_due_at = null
      where id = any ($1::uuid[])
   ), waited as (
     select s.id, s.waiting_due_at from workflow_schedules s
      where s.id = any ($1::uuid[]) and s.waiting_due_at is not null
   )
   update schedule_fires f set outcome = 'skipped', reason = 'out_of_service'
     from waited w where f.schedule_id = w.id and f.due_at = w.waiting_due_at and f.outcome = 'waiting'`,
);

/**
 * Purpose: forgets what became of occurrences long ago. Index: schedule_fires_fired_at_idx (BRIN: rows come in the order of
 * their time), then schedule_fires_pkey. Rows: one batch.
 */
export const purgeFires = statement<
  [now: Date | null, days: number, limit: number],
  { readonly one: number }
>(
  'purge-schedule-fires',
  `delete from schedule_fires
    where ctid = any (array(
      select ctid from schedule_fires
       where fired_at < coalesce($1::timestamptz, now()) - make_interval(days => $2::integer)
         and outcome <> 'waiting' limit $3::integer for update skip locked))
   returning 1 as one`,
);
