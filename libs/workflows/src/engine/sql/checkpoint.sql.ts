import { statement } from '#platform';
import { instantText } from '../instant-text';
import type { NodeRecord, RunEnd, Segment } from '../segment';
import { column, joined } from './columns';

type Params = readonly [worker: string, ...columns: (string | null)[]];

/**
 * Purpose: one checkpoint of many runs: results of nodes, events, runs that end and runs that wait, all or nothing.
 * It writes nothing and says `fenced: false` when the worker has been declared dead. It may be sent again when its
 * outcome is unknown (a connection lost at the commit): what is recorded already stays as it is.
 * Locks: the worker's row FOR KEY SHARE first; then rows that only this worker writes.
 * Index: primary keys only. Rows: those of the segments.
 */
export const checkpoint = statement<Params, { readonly fenced: boolean }>(
  'checkpoint',
  `with fence as materialized (
     select from engine_workers where id = $1::uuid for key share
   ), node_rows as (
     insert into workflow_node_runs (run_id, node_id, iteration, workspace_id, status, ports, output, error,
                                     resume_at, started_at, finished_at)
     select run_id, node_id, coalesce(iteration, ''), workspace_id, status, coalesce(ports, ''), output, error,
            resume_at, started_at, finished_at
       from unnest(${column(2, 'uuid')}, ${column(3, 'text')}, ${column(4, 'text')}, ${column(5, 'uuid')},
                   ${column(6, 'text')}, ${column(7, 'text')}, ${column(8, 'json')}, ${column(9, 'json')},
                   ${column(10, 'timestamptz')}, ${column(11, 'timestamptz')}, ${column(12, 'timestamptz')})
              as u (run_id, node_id, iteration, workspace_id, status, ports, output, error, resume_at, started_at,
                    finished_at)
      where exists (select from fence)
     on conflict do nothing
   ), ended_waits as (
     update workflow_node_runs n
        set status = u.status, ports = coalesce(u.ports, ''), output = u.output, error = u.error,
            finished_at = u.finished_at
       from unnest(${column(13, 'uuid')}, ${column(14, 'text')}, ${column(15, 'text')}, ${column(16, 'text')},
                   ${column(17, 'text')}, ${column(18, 'json')}, ${column(19, 'json')}, ${column(20, 'timestamptz')})
              as u (run_id, node_id, iteration, status, ports, output, error, finished_at)
      where n.run_id = u.run_id and n.node_id = u.node_id and n.iteration = coalesce(u.iteration, '')
        and n.status in ('waiting', 'running') and exists (select from fence)
   ), event_rows as (
     insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events)
     select * from unnest(${column(21, 'uuid')}, ${column(22, 'integer')}, ${column(23, 'integer')},
                          ${column(24, 'uuid')}, ${column(25, 'json')})
      where exists (select from fence)
     on conflict do nothing
   ), finished_runs as (
     update workflow_runs r
        set outcome = u.outcome, output = u.output, error = u.error, started_at = u.started_at,
            finished_at = u.finished_at
       from unnest(${column(26, 'uuid')}, ${column(27, 'text')}, ${column(28, 'json')}, ${column(29, 'json')},
                   ${column(30, 'timestamptz')}, ${column(31, 'timestamptz')})
              as u (run_id, outcome, output, error, started_at, finished_at)
      where r.id = u.run_id and r.outcome is null and exists (select from fence)
   ), left_queue as (
     delete from run_queue
      where run_id = any (${column(26, 'uuid')}) and worker_id = $1::uuid and exists (select from fence)
   ), parked_runs as (
     -- A run that someone wants canceled is not put to sleep: whoever claims it next sees the request.
     update run_queue q
        set state = case when q.cancel_requested_at is null then 'parked' else 'queued' end,
            worker_id = null,
            resume_at = case when q.cancel_requested_at is null then u.resume_at end
       from unnest(${column(32, 'uuid')}, ${column(33, 'timestamptz')}) as u (run_id, resume_at)
      where q.run_id = u.run_id and q.worker_id = $1::uuid and exists (select from fence)
   )
   select exists (select from fence) as fenced,
          case when $35::text is not null and exists (select from fence) then pg_notify($34, $35) end`,
);

interface OwnedNode {
  readonly run: Segment;
  readonly node: NodeRecord;
}

interface OwnedEnd<E extends RunEnd> {
  readonly runId: string;
  readonly end: E;
}

function time(at: Date | null): string | null {
  return at === null ? null : instantText(at);
}

/** The statement's parameters for a batch of segments, at most one of each run. */
export function checkpointParams(
  workerId: string,
  segments: readonly Segment[],
  notify: { readonly channel: string; readonly payload: string | null },
): Params {
  const nodes = segments.flatMap((run) => run.nodes.map((node): OwnedNode => ({ run, node })));
  const inserts = nodes.filter(({ node }) => node.write === 'insert');
  const updates = nodes.filter(({ node }) => node.write === 'update');
  const told = segments.filter(({ events }) => events.length > 0);
  const finished: OwnedEnd<Extract<RunEnd, { kind: 'finished' }>>[] = [];
  const parked: OwnedEnd<Extract<RunEnd, { kind: 'parked' }>>[] = [];
  for (const { runId, end } of segments) {
    if (end?.kind === 'finished') finished.push({ runId, end });
    if (end?.kind === 'parked') parked.push({ runId, end });
  }
  return [
    workerId,
    joined(inserts, ({ run }) => run.runId),
    joined(inserts, ({ node }) => node.nodeId),
    joined(inserts, ({ node }) => node.iteration),
    joined(inserts, ({ run }) => run.workspaceId),
    joined(inserts, ({ node }) => node.status),
    joined(inserts, ({ node }) => node.ports),
    joined(inserts, ({ node }) => node.output),
    joined(inserts, ({ node }) => node.error),
    joined(inserts, ({ node }) => time(node.resumeAt)),
    joined(inserts, ({ node }) => time(node.startedAt)),
    joined(inserts, ({ node }) => time(node.finishedAt)),
    joined(updates, ({ run }) => run.runId),
    joined(updates, ({ node }) => node.nodeId),
    joined(updates, ({ node }) => node.iteration),
    joined(updates, ({ node }) => node.status),
    joined(updates, ({ node }) => node.ports),
    joined(updates, ({ node }) => node.output),
    joined(updates, ({ node }) => node.error),
    joined(updates, ({ node }) => time(node.finishedAt)),
    joined(told, ({ runId }) => runId),
    joined(told, ({ firstSeq }) => firstSeq),
    joined(told, ({ firstSeq, events }) => firstSeq + events.length - 1),
    joined(told, ({ workspaceId }) => workspaceId),
    joined(told, ({ events }) => `[${events.join(',')}]`),
    joined(finished, ({ runId }) => runId),
    joined(finished, ({ end }) => end.outcome),
    joined(finished, ({ end }) => end.output),
    joined(finished, ({ end }) => end.error),
    joined(finished, ({ end }) => time(end.startedAt)),
    joined(finished, ({ end }) => time(end.finishedAt)),
    joined(parked, ({ runId }) => runId),
    joined(parked, ({ end }) => time(end.resumeAt)),
    notify.channel,
    notify.payload,
  ];
}
