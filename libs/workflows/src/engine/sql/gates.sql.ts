import { statement } from '#platform';
import { column, joined } from './columns';
import { QUEUE_HEAD } from './queue-head';

/** What a plan allows a workspace at a time. Null is no limit. */
export interface GateFigures {
  readonly workspaceId: string;
  readonly concurrentRuns: number | null;
  readonly concurrentRunsPerWorkflow: number | null;
}

/** A group of runs that share the slots of one value of a workflow's concurrency key. */
export interface KeyGroup {
  readonly workspaceId: string;
  readonly keyHash: string;
}

/** What one pass has done: `moved` is less than `chosen` when runs were canceled meanwhile. */
export interface Passed {
  readonly chosen: number;
  readonly moved: number;
}

/** At the gate, with the slot of its key if it needs one: it waits for the plan's limits only. */
const READY = `q.state = 'gated' and (q.key_hash is null or q.key_held)`;
/** At the gate, without the slot of its key. */
const KEYED = `q.state = 'gated' and q.key_hash is not null and not q.key_held`;
/** Executing, as plans count it: let through, and neither waiting nor finished. */
const EXECUTING = `q.limited and q.state in ('queued', 'owned')`;

/**
 * Purpose: notes what plans allow, where it is not what is noted already: then nothing is locked and nothing written.
 * Locks: the rows that change, in workspace order. Index: workspace_gates_pkey. Rows: one per workspace.
 */
export const storeGates = statement<[workspaceIds: string, runs: string, runsPerWorkflow: string]>(
  'store-gates',
  `insert into workspace_gates as g (workspace_id, concurrent_runs, concurrent_runs_per_workflow)
   select u.workspace_id, u.runs, u.runs_per_workflow
     from unnest(${column(1, 'uuid')}, ${column(2, 'integer')}, ${column(3, 'integer')})
            as u (workspace_id, runs, runs_per_workflow)
     left join workspace_gates o on o.workspace_id = u.workspace_id
    where o.workspace_id is null
       or (o.concurrent_runs, o.concurrent_runs_per_workflow) is distinct from (u.runs, u.runs_per_workflow)
    order by u.workspace_id
   on conflict (workspace_id) do update
     set concurrent_runs = excluded.concurrent_runs,
         concurrent_runs_per_workflow = excluded.concurrent_runs_per_workflow`,
);

/** The parameters of `storeGates`. */
export function storeGatesParams(figures: readonly GateFigures[]): [string, string, string] {
  return [
    joined(figures, ({ workspaceId }) => workspaceId),
    joined(figures, ({ concurrentRuns }) => concurrentRuns),
    joined(figures, ({ concurrentRunsPerWorkflow }) => concurrentRunsPerWorkflow),
  ];
}

/**
 * Purpose: makes the rows that are locked below, for workspaces whose runs are limited by keys only. One without runs at
 * the gate gets none: it may be purged already. Locks: the new rows. Index: workspace_gates_pkey, run_queue_keyed_idx.
 */
export const ensureGates = statement<[workspaceIds: readonly string[]]>(
  'ensure-gates',
  `insert into workspace_gates (workspace_id)
   select u.workspace_id from unnest($1::uuid[]) as u (workspace_id)
    where exists (select from run_queue q where ${KEYED} and q.workspace_id = u.workspace_id)
    order by u.workspace_id
   on conflict do nothing`,
);

const LOCK_GATES = `select workspace_id as "workspaceId" from workspace_gates where workspace_id = any ($1::uuid[])
    order by workspace_id for update`;

/**
 * Purpose: lets the passes of a workspace take turns until they end. A statement of its own: what follows it in the same
 * transaction counts on a snapshot taken after the lock, in which everything stands that the pass before has moved. In
 * one statement the count would be as old as the beginning of the wait, and two passes would each find the same place.
 * It locks no row that runs refer to, so nothing else waits for it. Locks: the gates, in workspace order.
 * Index: workspace_gates_pkey. Rows: one per workspace.
 */
export const lockGates = statement<[workspaceIds: readonly string[]], { readonly workspaceId: string }>(
  'lock-gates',
  LOCK_GATES,
);

/** Purpose: as lock-gates, without waiting: for the sweep, which comes again. */
export const lockFreeGates = statement<[workspaceIds: readonly string[]], { readonly workspaceId: string }>(
  'lock-free-gates',
  `${LOCK_GATES} skip locked`,
);

/**
 * Purpose: gives free slots of keys to the runs that have waited longest for them, high priorities first. A run that has
 * its slot goes on to the plan's gate, or straight into the queue when its plan has no limits. Strictly in order: where
 * versions differ in the limit, the first that does not fit keeps back those behind it.
 * Called after lock-gates. Locks: the chosen queue rows. Index: run_queue_keyed_idx, run_queue_key_holders_idx,
 * run_queue_pkey; of a group as many rows are read as there are free slots. Rows: at most $3.
 */
export const grantKeys = statement<[workspaceIds: string, keyHashes: string, limit: number], Passed>(
  'grant-keys',
  `with open as materialized (
     select k.workspace_id, k.key_hash, first.key_limit, held.count as held
       from unnest(${column(1, 'uuid')}, ${column(2, 'uuid')}) as k (workspace_id, key_hash)
      cross join lateral (
        select q.key_limit, q.workflow_id from run_queue q
         where ${KEYED} and q.workspace_id = k.workspace_id and q.key_hash = k.key_hash
         order by q.priority desc, q.turn limit 1) first
      cross join lateral (
        select count(*)::integer as count from run_queue h where h.key_hash = k.key_hash and h.key_held) held
      where held.count < first.key_limit
        and not exists (select from workflows w where w.id = first.workflow_id and w.paused_at is not null)
   ), waiting as (
     select o.key_hash, c.run_id, c.turn,
            row_number() over place as place, bool_and(o.held + c.nth <= c.key_limit) over place as fits
       from open o
      cross join lateral (
        select q.run_id, q.key_limit, q.priority, q.turn, row_number() over (order by q.priority desc, q.turn) as nth
          from (select * from run_queue q
                 where ${KEYED} and q.workspace_id = o.workspace_id and q.key_hash = o.key_hash
                 order by q.priority desc, q.turn limit o.key_limit - o.held) q) c
     window place as (partition by o.key_hash order by c.priority desc, c.turn)
   ), chosen as materialized (
     select run_id, place from waiting where fits order by place, turn limit $3::integer
   ), head as materialized (${QUEUE_HEAD}
   ), moved as (
     update run_queue q
        set key_held = true,
            state = case when q.limited then 'gated' else 'queued' end,
            turn = case when q.limited then q.turn else
              greatest(q.turn, (select turn from head) + (array(select place from chosen))[
                array_position(array(select run_id from chosen), q.run_id)]) end
      where q.run_id = any (array(select run_id from chosen)) and ${KEYED}
     returning q.run_id
   )
   select (select count(*)::integer from chosen) as chosen, (select count(*)::integer from moved) as moved`,
);

/** The parameters of `grantKeys`. */
export function grantKeysParams(groups: readonly KeyGroup[], limit: number): [string, string, number] {
  return [joined(groups, ({ workspaceId }) => workspaceId), joined(groups, ({ keyHash }) => keyHash), limit];
}

/**
 * Purpose: lets runs through as far as plans have places, by workflow and by workspace: high priorities first, among
 * them those of the workflow that has fewest runs executing, among them by turn. A turn that the queue has passed long
 * ago is raised to where it stands: it would pull back what "now" is for workspaces that start afterwards.
 * Called after lock-gates. Locks: the chosen queue rows. Index: run_queue_gated_idx (a probe per workflow, then as many
 * rows as there are places), run_queue_executing_idx, run_queue_pkey. Rows: at most $2.
 */
export const letThrough = statement<[workspaceIds: readonly string[], limit: number], Passed>(
  'let-through',
  `with gates as materialized (
     select g.workspace_id, g.concurrent_runs_per_workflow as per_workflow,
            least($2::integer, g.concurrent_runs - busy.count) as places
       from workspace_gates g
      cross join lateral (
        select count(*)::integer as count from run_queue q where ${EXECUTING} and q.workspace_id = g.workspace_id) busy
      where g.workspace_id = any ($1::uuid[])
   ), ready as materialized (
     select g.workspace_id, g.per_workflow, g.places, w.workflow_id
       from gates g
      cross join lateral (
        with recursive each as (
          (select q.workflow_id from run_queue q where ${READY} and q.workspace_id = g.workspace_id
            order by q.workflow_id limit 1)
          union all
          select next.workflow_id from each
           cross join lateral (
             select q.workflow_id from run_queue q
              where ${READY} and q.workspace_id = g.workspace_id and q.workflow_id > each.workflow_id
              order by q.workflow_id limit 1) next
        )
        select workflow_id from each) w
      where g.places > 0
        and not exists (select from workflows f where f.id = w.workflow_id and f.paused_at is not null)
   ), open as materialized (
     select r.workspace_id, r.workflow_id, r.places, busy.count as executing,
            least(r.places, r.per_workflow - busy.count) as places_of_workflow
       from ready r
      cross join lateral (
        select count(*)::integer as count from run_queue q
         where ${EXECUTING} and q.workspace_id = r.workspace_id and q.workflow_id = r.workflow_id) busy
   ), waiting as (
     select o.workspace_id, o.places, c.run_id,
            row_number() over (partition by o.workspace_id order by c.priority desc, o.executing + c.nth, c.turn) as place
       from open o
      cross join lateral (
        select q.run_id, q.priority, q.turn, row_number() over (order by q.priority desc, q.turn) as nth
          from (select * from run_queue q
                 where ${READY} and q.workspace_id = o.workspace_id and q.workflow_id = o.workflow_id
                 order by q.priority desc, q.turn limit greatest(o.places_of_workflow, 0)) q) c
   ), chosen as materialized (
     select run_id, place from waiting where place <= places order by place, workspace_id limit $2::integer
   ), head as materialized (${QUEUE_HEAD}
   ), moved as (
     update run_queue q
        set state = 'queued',
            turn = greatest(q.turn, (select turn from head) + (array(select place from chosen))[
              array_position(array(select run_id from chosen), q.run_id)])
      where q.run_id = any (array(select run_id from chosen)) and ${READY}
     returning q.run_id
   )
   select (select count(*)::integer from chosen) as chosen, (select count(*)::integer from moved) as moved`,
);

/**
 * Purpose: which of some workspaces have runs at the gate at all. Locks: none.
 * Index: run_queue_gated_idx, run_queue_keyed_idx; a probe of each per workspace. Rows: at most one per workspace.
 */
export const listWaiting = statement<[workspaceIds: readonly string[]], { readonly workspaceId: string }>(
  'list-workspaces-that-wait',
  `select u.workspace_id as "workspaceId" from unnest($1::uuid[]) as u (workspace_id)
    cross join lateral (
      (select from run_queue q where ${READY} and q.workspace_id = u.workspace_id limit 1)
      union all
      (select from run_queue q where ${KEYED} and q.workspace_id = u.workspace_id limit 1)
      limit 1) q`,
);

/**
 * Purpose: the next workspaces, in the order of their ids, that have runs waiting for places. Locks: none.
 * Index: run_queue_gated_idx, a probe per workspace. Rows: at most $2.
 */
export const listGated = statement<[after: string | null, limit: number], { readonly workspaceId: string }>(
  'list-gated-workspaces',
  `with recursive each as (
     (select q.workspace_id from run_queue q
       where ${READY} and q.workspace_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
       order by q.workspace_id limit 1)
     union all
     select next.workspace_id from each
      cross join lateral (
        select q.workspace_id from run_queue q where ${READY} and q.workspace_id > each.workspace_id
         order by q.workspace_id limit 1) next
   )
   select workspace_id as "workspaceId" from each limit $2::integer`,
);

/**
 * Purpose: the next key groups, in order, in which runs wait, and whether a slot is free there. Locks: none.
 * Index: run_queue_keyed_idx, run_queue_key_holders_idx; a few probes per group. Rows: at most $3.
 */
export const listKeyed = statement<
  [afterWorkspace: string | null, afterKey: string | null, limit: number],
  KeyGroup & { readonly open: boolean }
>(
  'list-keyed-groups',
  `with recursive each as (
     (select q.workspace_id, q.key_hash, q.key_limit from run_queue q
       where ${KEYED}
         and (q.workspace_id, q.key_hash) > (coalesce($1::uuid, '00000000-0000-0000-0000-000000000000'),
                                             coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'))
       order by q.workspace_id, q.key_hash, q.priority desc, q.turn limit 1)
     union all
     select next.* from each
      cross join lateral (
        select q.workspace_id, q.key_hash, q.key_limit from run_queue q
         where ${KEYED} and (q.workspace_id, q.key_hash) > (each.workspace_id, each.key_hash)
         order by q.workspace_id, q.key_hash, q.priority desc, q.turn limit 1) next
   )
   select e.workspace_id as "workspaceId", e.key_hash as "keyHash",
          (select count(*) from run_queue h where h.key_hash = e.key_hash and h.key_held) < e.key_limit as open
     from (select * from each limit $3::integer) e`,
);
