import { statement } from '#platform';
import type { JsonObject } from '../../definition/json';

/** A schedule as it stands when its workflow is published. */
export interface StandingSchedule {
  readonly id: string;
  readonly nodeId: string;
  readonly params: JsonObject;
  /** Whether the version before had its node. */
  readonly live: boolean;
  readonly dueAt: Date | null;
  readonly fireAt: Date | null;
  readonly paused: boolean;
  /** With `paused`: until when; null for until somebody resumes it. */
  readonly pausedUntil: Date | null;
}

/**
 * Purpose: the schedules that a workflow has, taken into this transaction's hands: none of them fires before it ends. Locks:
 * the rows, behind the workflow's. Index: workflow_schedules_workspace_id_workflow_id_version_id_idx. Rows: one for each trigger node it ever had.
 */
export const lockSchedulesOf = statement<
  [workspaceId: string, workflowId: string, now: Date | null],
  StandingSchedule
>(
  'lock-schedules-of-workflow',
  `select id, node_id as "nodeId", params, version_id is not null as live, due_at as "dueAt", fire_at as "fireAt",
          paused_at is not null and coalesce(paused_until > coalesce($3::timestamptz, now()), true) as paused,
          paused_until as "pausedUntil"
     from workflow_schedules where workflow_id = $2::uuid and workspace_id = $1::uuid
    order by id for update`,
);

/** Purpose: the database's time, by which schedules go. Rows: one. */
export const readNow = statement<[now: Date | null], { readonly now: Date }>(
  'read-now',
  `select coalesce($1::timestamptz, now()) as now`,
);

/** A schedule as it is to stand. */
export interface PublishedSchedule {
  readonly id: string;
  readonly nodeId: string;
  readonly params: string;
  readonly dueAt: string | null;
  readonly fireAt: string | null;
  /** Its author has changed it, or brought it back: it counts from the beginning. */
  readonly changed: boolean;
}

/**
 * Purpose: gives the schedule nodes of a version their schedules; one that is there keeps its id, its pause and what it has
 * fired. Locks: the rows, held already, and new ones. Index: workflow_schedules_node_key. Rows: one for each node.
 */
export const putSchedules = statement<
  [
    workspaceId: string,
    workflowId: string,
    versionId: string,
    ids: readonly string[],
    nodeIds: readonly string[],
    params: readonly string[],
    dueAt: readonly (string | null)[],
    fireAt: readonly (string | null)[],
    changedNodeIds: readonly string[],
    now: Date | null,
  ]
>(
  'put-schedules',
  `insert into workflow_schedules as s (id, workspace_id, workflow_id, node_id, version_id, params, due_at, fire_at,
                                        forgiven_at, created_at, updated_at)
   select u.id, $1::uuid, $2::uuid, u.node_id, $3::uuid, u.params, u.due_at, u.fire_at,
          coalesce($10::timestamptz, now()), coalesce($10::timestamptz, now()), coalesce($10::timestamptz, now())
     from unnest($4::uuid[], $5::text[], $6::json[], $7::timestamptz[], $8::timestamptz[])
          as u (id, node_id, params, due_at, fire_at)
   on conflict (workflow_id, node_id) do update
     set version_id = excluded.version_id, params = excluded.params, due_at = excluded.due_at, fire_at = excluded.fire_at,
         updated_at = excluded.updated_at,
         fires = case when excluded.node_id = any ($9::text[]) then 0 else s.fires end,
         forgiven_at = case when excluded.node_id = any ($9::text[]) then excluded.forgiven_at else s.forgiven_at end`,
);

/**
 * Purpose: retires the schedules of a workflow but for those of some nodes: what is due, or waits, is not fired any more.
 * Locks: the rows. Index: workflow_schedules_workspace_id_workflow_id_version_id_idx. Rows: those.
 */
export const retireSchedules = statement<
  [workspaceId: string, workflowId: string, exceptNodeIds: readonly string[], now: Date | null]
>(
  'retire-schedules',
  `update workflow_schedules
      set version_id = null, due_at = null, fire_at = null, waiting_due_at = null,
          updated_at = coalesce($4::timestamptz, now())
    where workflow_id = $2::uuid and workspace_id = $1::uuid and version_id is not null
      and node_id <> all ($3::text[])`,
);
