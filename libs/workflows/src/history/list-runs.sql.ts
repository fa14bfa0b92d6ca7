import { type Statement, statement } from '#platform';
import { RUN_COLUMNS, RUN_JOINS, type RunRow } from '../runs/read-runs.sql';

/** How many runs one page examines at most, whatever it is looked for among them. */
export const EXAMINED = 5_000;

/** What a listing asks for. Null: it does not ask for that. */
export type ListParams = [
  workspaceId: string,
  beforeId: string,
  sinceId: string,
  limit: number,
  workflowId: string | null,
  statuses: readonly string[] | null,
  triggerKind: string | null,
  errorCode: string | null,
  label: string | null,
  now: Date | null,
];

/** A row of a page, or the single row of an empty one. `scanEnd` is where a page stopped that examined its share. */
export type ListRow = (RunRow | { readonly id: null }) & { readonly scanEnd: string | null };

/** Where a listing looks for candidates, newest first. Each is a probe into an index that is in the order of the page. */
const SOURCES = {
  workspace: `select id as run_id, null::smallint as days from workflow_runs
               where workspace_id = $1::uuid and id < $2::uuid and id >= $3::uuid order by id desc`,
  workflow: `select id as run_id, null::smallint as days from workflow_runs
              where workspace_id = $1::uuid and workflow_id = $5::uuid and id < $2::uuid and id >= $3::uuid
              order by id desc`,
  label: `select run_id, retention_days as days from workflow_run_labels
           where workspace_id = $1::uuid and label = $9 and run_id < $2::uuid and run_id >= $3::uuid
           order by run_id desc`,
  live: `select run_id, retention_days as days from run_queue
          where workspace_id = $1::uuid and run_id < $2::uuid and run_id >= $3::uuid order by run_id desc`,
  failed: `select run_id, null::smallint as days from dead_letters
            where workspace_id = $1::uuid and run_id < $2::uuid and run_id >= $3::uuid order by run_id desc`,
  failedSo: `select run_id, null::smallint as days from dead_letters
              where workspace_id = $1::uuid and error_code = $8 and run_id < $2::uuid and run_id >= $3::uuid
              order by run_id desc`,
} as const;

export type Source = keyof typeof SOURCES;

/** The status in SQL, as `statusOf` says it. */
const STATUS = `coalesce(r.outcome, case when q.state is null or q.state = 'owned' then 'running' when q.state = 'parked' then 'waiting'
                                       when q.state = 'undecided' then 'needs_decision' else 'queued' end)`;

/**
 * Where the runs of candidates are: in the very row when they come from the table itself, else a probe of the workspace's
 * index in the partitions of their time.
 */
function runsOf(source: Source): string {
  const candidates = `(${SOURCES[source]} limit ${EXAMINED}) c`;
  const days = source === 'label' || source === 'live' ? 'and w.retention_days = c.days' : '';
  return `${candidates}
           cross join lateral (
             select * from workflow_runs w where w.workspace_id = $1::uuid and w.id = c.run_id ${days} limit 1) r`;
}

/** In one pass from the table: the row is there already. */
function direct(source: 'workspace' | 'workflow'): string {
  return `(${SOURCES[source].replace('id as run_id, null::smallint as days', '*, id as run_id')} limit ${EXAMINED}) r`;
}

/**
 * Purpose: a page of runs by what is asked for, newest first, among at most so many candidates. When fewer than the
 * limit are found, `scanEnd` is the last candidate examined, null when there are no more. Runs whose time is over are
 * passed over, although their tables may stand. Index: of the source; then one probe for each candidate.
 */
function listFrom(source: Source): Statement<ListParams, ListRow> {
  const isDirect = source === 'workspace' || source === 'workflow';
  return statement(
    `list-runs-by-${source.replace('So', '-so')}`,
    `with page as materialized (
       select r.* from ${isDirect ? direct(source) : runsOf(source)}
         left join lateral (
           select state from run_queue where run_id = r.id and r.outcome is null limit 1) q on $6::text[] is not null
        where ($5::uuid is null or r.workflow_id = $5::uuid)
          and ($6::text[] is null or ${STATUS} = any ($6::text[]))
          and ($7::text is null or r.trigger_kind = $7::text)
          and ($8::text is null or (r.outcome = 'failed' and r.error ->> 'code' = $8::text))
          and ($9::text is null or r.labels ->> split_part($9::text, ':', 1) = substr($9::text, strpos($9::text, ':') + 1))
          and (r.finished_at is null
               or r.finished_at >= coalesce($10::timestamptz, now()) - make_interval(days => r.retention_days))
        order by ${isDirect ? 'r' : 'c'}.run_id desc limit $4::integer
     )
     select ${RUN_COLUMNS},
            case when (select count(*) from page) < $4::integer then
              (select run_id from (${SOURCES[source]} offset ${EXAMINED - 1} limit 1) last) end as "scanEnd"
       from (values (1)) one (n) left join page r on true ${RUN_JOINS}
      order by r.id desc`,
  );
}

/**
 * Purpose: lets a listing take its candidates in the order of an index, until the transaction ends. The planner cannot know
 * how much one workspace has: where it guesses less than a page examines, it would read all of it and sort.
 */
export const inOrder = statement<[], unknown>(
  'take-in-order',
  `select set_config('enable_sort', 'off', true)`,
);

/** One statement for each source. */
export const listRunsBy: Readonly<Record<Source, Statement<ListParams, ListRow>>> = {
  workspace: listFrom('workspace'),
  workflow: listFrom('workflow'),
  label: listFrom('label'),
  live: listFrom('live'),
  failed: listFrom('failed'),
  failedSo: listFrom('failedSo'),
};
