import { statement } from '#platform';

/** Purpose: a worker comes to life. Rows: one. */
export const registerWorker = statement<
  [workerId: string, host: string, pid: number, leaseSeconds: number, now: Date | null],
  { readonly databaseNow: Date }
>(
  'register-worker',
  `insert into engine_workers (id, host, pid, lease_until)
   values ($1::uuid, $2, $3, coalesce($5::timestamptz, now()) + make_interval(secs => $4))
   returning clock_timestamp() as "databaseNow"`,
);

/**
 * Purpose: a worker says that it lives, and notes how far it has got through the queue. No row: it was declared dead.
 * Locks: its own row, without conflict with its flushes (they lock it FOR KEY SHARE). HOT: no indexed column changes.
 */
export const heartbeatWorker = statement<
  [workerId: string, leaseSeconds: number, lastTurn: string, now: Date | null],
  { readonly databaseNow: Date }
>(
  'heartbeat-worker',
  `update engine_workers
      set lease_until = coalesce($4::timestamptz, now()) + make_interval(secs => $2),
          last_turn = greatest(last_turn, $3::bigint)
    where id = $1::uuid
   returning clock_timestamp() as "databaseNow"`,
);

/** Purpose: a worker leaves in good order; its runs must have been released before. */
export const retireWorker = statement<[workerId: string]>(
  'retire-worker',
  `delete from engine_workers where id = $1::uuid`,
);

/**
 * Purpose: declares workers dead whose lease has run out. Waits for a flush of theirs that is under way (KEY SHARE
 * against a deletion); after it they write nothing more.
 */
export const buryWorkers = statement<[now: Date | null], { readonly workerId: string }>(
  'bury-workers',
  `delete from engine_workers where id in (
     select id from engine_workers where lease_until < coalesce($1::timestamptz, now()) for update skip locked)
   returning id as "workerId"`,
);

/**
 * Purpose: puts runs back into the queue that are owned by a worker which is not alive. A statement of its own, after
 * the burial is committed: its snapshot then holds everything the dead worker wrote or claimed.
 * The observed owner is compared again at the update, so a run that was rescued and claimed anew in between stays.
 * Index: run_queue_worker_id_idx. Rows: what the dead held.
 */
export const rescueRuns = statement<[], { readonly runId: string }>(
  'rescue-runs',
  `with orphaned as materialized (
     select q.run_id, q.worker_id from run_queue q
      where q.state = 'owned' and not exists (select from engine_workers w where w.id = q.worker_id)
      order by q.run_id
   )
   update run_queue q set state = 'queued', worker_id = null, rescues = q.rescues + 1
     from orphaned o
    where q.run_id = o.run_id and q.state = 'owned' and q.worker_id = o.worker_id
   returning q.run_id as "runId"`,
);

/**
 * Purpose: a stopping worker gives its unfinished runs back; not counted as a rescue.
 * Index: run_queue_worker_id_idx.
 */
export const releaseRuns = statement<[workerId: string], { readonly runId: string }>(
  'release-runs',
  `update run_queue set state = 'queued', worker_id = null
    where state = 'owned' and worker_id = $1::uuid
   returning run_id as "runId"`,
);

/**
 * Purpose: gives back runs that are this worker's without being in its hands: claimed by a statement whose answer was
 * lost. Called only while no claim is under way. Index: run_queue_worker_id_idx.
 */
export const releaseUnheld = statement<
  [workerId: string, heldRunIds: readonly string[]],
  { readonly runId: string }
>(
  'release-unheld',
  `update run_queue set state = 'queued', worker_id = null
    where state = 'owned' and worker_id = $1::uuid and run_id <> all ($2::uuid[])
   returning run_id as "runId"`,
);
