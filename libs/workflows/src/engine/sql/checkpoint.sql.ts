import { statement } from '#platform';
import { instantText } from '../instant-text';
import type { NodeAddress, NodeRecord, RunEnd, Segment } from '../segment';
import { type Rows, rowsAt } from './columns';

type Params = readonly [worker: string, channel: string, payload: string | null, ...columns: string[]];

type Finished = Extract<RunEnd, { kind: 'finished' }>;
type Parked = Extract<RunEnd, { kind: 'parked' }>;

interface OwnedNode {
  readonly run: Segment;
  readonly node: NodeRecord;
}

interface OwnedEnd<E extends RunEnd> {
  readonly run: Segment;
  readonly end: E;
}

interface Consumed {
  readonly run: Segment;
  readonly node: Segment['consumed'][number];
}

interface Told {
  readonly run: Segment;
  readonly parent: NodeAddress;
  readonly message: string;
}

function parks({ end }: Segment): string {
  return String(end?.kind === 'parked');
}

function time(at: Date | null): string | null {
  return at === null ? null : instantText(at);
}

/** Behind the worker, the channel and the payload. */
const FIRST_COLUMN = 4;

const inserted: Rows<OwnedNode> = rowsAt<OwnedNode>(FIRST_COLUMN, {
  run_id: ['uuid', ({ run }) => run.runId],
  node_id: ['text', ({ node }) => node.nodeId],
  iteration: ['text', ({ node }) => node.iteration],
  workspace_id: ['uuid', ({ run }) => run.workspaceId],
  status: ['text', ({ node }) => node.status],
  attempts: ['smallint', ({ node }) => node.attempts],
  ports: ['text', ({ node }) => node.ports],
  output: ['json', ({ node }) => node.output],
  error: ['json', ({ node }) => node.error],
  state: ['json', ({ node }) => node.state],
  resume_at: ['timestamptz', ({ node }) => time(node.resumeAt)],
  started_at: ['timestamptz', ({ node }) => time(node.startedAt)],
  finished_at: ['timestamptz', ({ node }) => time(node.finishedAt)],
  retention_days: ['smallint', ({ run }) => run.retentionDays],
});

const updated: Rows<OwnedNode> = rowsAt<OwnedNode>(inserted.next, {
  run_id: ['uuid', ({ run }) => run.runId],
  node_id: ['text', ({ node }) => node.nodeId],
  iteration: ['text', ({ node }) => node.iteration],
  status: ['text', ({ node }) => node.status],
  attempts: ['smallint', ({ node }) => node.attempts],
  ports: ['text', ({ node }) => node.ports],
  output: ['json', ({ node }) => node.output],
  error: ['json', ({ node }) => node.error],
  state: ['json', ({ node }) => node.state],
  resume_at: ['timestamptz', ({ node }) => time(node.resumeAt)],
  finished_at: ['timestamptz', ({ node }) => time(node.finishedAt)],
  retention_days: ['smallint', ({ run }) => run.retentionDays],
  parks: ['boolean', ({ run }) => parks(run)],
});

const events: Rows<Segment> = rowsAt<Segment>(updated.next, {
  run_id: ['uuid', ({ runId }) => runId],
  first_seq: ['integer', ({ firstSeq }) => firstSeq],
  last_seq: ['integer', (run) => run.firstSeq + run.events.length - 1],
  workspace_id: ['uuid', ({ workspaceId }) => workspaceId],
  events: ['json', (run) => `[${run.events.join(',')}]`],
  retention_days: ['smallint', ({ retentionDays }) => retentionDays],
});

const finished: Rows<OwnedEnd<Finished>> = rowsAt<OwnedEnd<Finished>>(events.next, {
  run_id: ['uuid', ({ run }) => run.runId],
  outcome: ['text', ({ end }) => end.outcome],
  output: ['json', ({ end }) => end.output],
  error: ['json', ({ end }) => end.error],
  started_at: ['timestamptz', ({ end }) => time(end.startedAt)],
  finished_at: ['timestamptz', ({ end }) => time(end.finishedAt)],
  retention_days: ['smallint', ({ run }) => run.retentionDays],
});

const failed: Rows<OwnedEnd<Finished>> = rowsAt<OwnedEnd<Finished>>(finished.next, {
  run_id: ['uuid', ({ run }) => run.runId],
  error: ['json', ({ end }) => end.error],
  failed_at: ['timestamptz', ({ end }) => time(end.finishedAt)],
  error_workflow_id: ['uuid', ({ end }) => end.errorWorkflowId],
  retention_days: ['smallint', ({ run }) => run.retentionDays],
});

const parked: Rows<OwnedEnd<Parked>> = rowsAt<OwnedEnd<Parked>>(failed.next, {
  run_id: ['uuid', ({ run }) => run.runId],
  claims: ['integer', ({ run }) => run.claims],
  state: ['text', ({ end }) => end.state],
  resume_at: ['timestamptz', ({ end }) => time(end.resumeAt)],
  seen_signals: ['integer', ({ end }) => end.seenSignals],
});

const consumed: Rows<Consumed> = rowsAt<Consumed>(parked.next, {
  run_id: ['uuid', ({ run }) => run.runId],
  node_id: ['text', ({ node }) => node.nodeId],
  iteration: ['text', ({ node }) => node.iteration],
  parks: ['boolean', ({ run }) => parks(run)],
});

const signals: Rows<Told> = rowsAt<Told>(consumed.next, {
  run_id: ['uuid', ({ parent }) => parent.runId],
  node_id: ['text', ({ parent }) => parent.nodeId],
  iteration: ['text', ({ parent }) => parent.iteration],
  workspace_id: ['uuid', ({ run }) => run.workspaceId],
  message: ['json', ({ message }) => message],
});

const recovered: Rows<Segment> = rowsAt<Segment>(signals.next, { run_id: ['uuid', ({ runId }) => runId] });

/**
 * Purpose: one checkpoint of many runs: results of nodes, events, runs that end and runs that wait, all or nothing.
 * It writes nothing and says `fenced: false` when the worker has been declared dead. It may be sent again when its
 * outcome is unknown (a connection lost at the commit): what is recorded already stays as it is, also when the same
 * worker has claimed a parked run anew meanwhile and is further: what a parking segment changes, it changes together
 * with the queue's row, which tells under which claim.
 * `any (array[…])` of one is an equality that no join can hash: the planner, which cannot know that but one partition is
 * looked into for each row, would rather read them all. So would it, if it could see how few nodes wait; hence `coalesce`.
 * Locks: the worker's row FOR KEY SHARE first; then rows that only this worker writes. The queue's rows may be held for
 * a moment by whoever cancels a run or sends it a message.
 * Index: primary keys only; a run's retention class says in which partitions. Rows: those of the segments.
 */
export const checkpoint = statement<Params, { readonly fenced: boolean }>(
  'checkpoint',
  `with fence as materialized (
     select from engine_workers where id = $1::uuid for key share
   ), parked_runs as (
     -- A run that someone wants canceled, or for which something has come of which its worker does not know, is not put to
     -- sleep: whoever claims it next sees what it is. Both stand on the row, so that the latest version of it is asked.
     update run_queue q
        set state = case when q.cancel_requested_at is null and q.signal_count <= u.seen_signals then u.state
                         when q.limited and q.cancel_requested_at is null then 'gated' else 'queued' end,
            worker_id = null, rescues = 0,
            resume_at = case when q.cancel_requested_at is null and q.signal_count <= u.seen_signals then u.resume_at end
       from ${parked.source}
      where q.run_id = u.run_id and q.worker_id = $1::uuid and q.claims = u.claims and exists (select from fence)
    returning q.run_id
   ), node_rows as (
     insert into workflow_node_runs (run_id, node_id, iteration, workspace_id, status, attempts, ports, output, error,
                                     state, resume_at, started_at, finished_at, retention_days)
     select run_id, node_id, coalesce(iteration, ''), workspace_id, status, attempts, coalesce(ports, ''), output,
            error, state, resume_at, started_at, finished_at, retention_days
       from ${inserted.source}
      where exists (select from fence)
     on conflict do nothing
   ), open_rows as (
     update workflow_node_runs n
        set status = u.status, attempts = u.attempts, ports = coalesce(u.ports, ''), output = u.output,
            error = u.error, state = u.state, resume_at = u.resume_at, finished_at = u.finished_at
       from ${updated.source}
      where n.run_id = any (array[u.run_id]) and n.retention_days = any (array[u.retention_days])
        and n.node_id = any (array[u.node_id]) and n.iteration = any (array[coalesce(u.iteration, '')])
        and coalesce(n.status in ('waiting', 'running'), false) and exists (select from fence)
        and (not u.parks or u.run_id in (select run_id from parked_runs))
   ), event_rows as (
     insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events, retention_days)
     select * from ${events.source}
      where exists (select from fence)
     on conflict do nothing
   ), finished_runs as (
     update workflow_runs r
        set outcome = u.outcome, output = u.output, error = u.error, started_at = u.started_at,
            finished_at = u.finished_at
       from ${finished.source}
      where r.id = any (array[u.run_id]) and r.retention_days = any (array[u.retention_days]) and r.outcome is null and exists (select from fence)
   ), left_queue as (
     delete from run_queue
      where run_id in (select u.run_id from ${finished.source}) and worker_id = $1::uuid
        and exists (select from fence)
   ), dead as (
     insert into dead_letters (run_id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by,
                               input, error_code, error, created_at, failed_at, error_workflow_id, tell_at)
     select u.run_id, r.workspace_id, r.workflow_id, r.version_id, r.trigger_node, r.trigger_kind, r.started_by,
            r.input, u.error ->> 'code', u.error, r.created_at, u.failed_at, u.error_workflow_id,
            case when u.error_workflow_id is not null then u.failed_at end
       from ${failed.source}
      cross join lateral (
        select * from workflow_runs w where w.id = u.run_id and w.retention_days = u.retention_days limit 1) r
      where exists (select from fence)
     on conflict do nothing
   ), consumed_signals as (
     delete from run_signals s using ${consumed.source}
      where s.run_id = u.run_id and s.node_id = u.node_id and s.iteration = coalesce(u.iteration, '')
        and exists (select from fence) and (not u.parks or u.run_id in (select run_id from parked_runs))
   ), sent_signals as (
     insert into run_signals (run_id, node_id, iteration, workspace_id, message)
     select run_id, node_id, coalesce(iteration, ''), workspace_id, message from ${signals.source}
      where exists (select from fence)
     on conflict do nothing
   ), recovered_runs as (
     update run_queue q set rescues = 0
       from ${recovered.source}
      where q.run_id = u.run_id and q.worker_id = $1::uuid and exists (select from fence)
   )
   select exists (select from fence) as fenced,
          case when $3::text is not null and exists (select from fence) then pg_notify($2, $3) end`,
);

/** The statement's parameters for a batch of segments, at most one of each run. */
export function checkpointParams(
  workerId: string,
  segments: readonly Segment[],
  notify: { readonly channel: string; readonly payload: string | null },
): Params {
  const nodes = segments.flatMap((run) => run.nodes.map((node): OwnedNode => ({ run, node })));
  const ends = endsOf(segments);
  return [
    workerId,
    notify.channel,
    notify.payload,
    ...inserted.params(nodes.filter(({ node }) => node.write === 'insert')),
    ...updated.params(nodes.filter(({ node }) => node.write === 'update')),
    ...events.params(segments.filter((run) => run.events.length > 0)),
    ...finished.params(ends.finished),
    ...failed.params(ends.finished.filter(({ end }) => end.outcome === 'failed')),
    ...parked.params(ends.parked),
    ...consumed.params(segments.flatMap((run) => run.consumed.map((node): Consumed => ({ run, node })))),
    ...signals.params(ends.finished.flatMap(({ run, end }) => (end.told ? [{ run, ...end.told }] : []))),
    // A run that leaves has its row changed by that already, and a statement changes a row once.
    ...recovered.params(segments.filter((run) => run.recovered && run.end === null)),
  ];
}

function endsOf(segments: readonly Segment[]): {
  readonly finished: readonly OwnedEnd<Finished>[];
  readonly parked: readonly OwnedEnd<Parked>[];
} {
  const ended: OwnedEnd<Finished>[] = [];
  const waiting: OwnedEnd<Parked>[] = [];
  for (const run of segments) {
    if (run.end?.kind === 'finished') ended.push({ run, end: run.end });
    if (run.end?.kind === 'parked') waiting.push({ run, end: run.end });
  }
  return { finished: ended, parked: waiting };
}
