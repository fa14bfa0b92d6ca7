import type { MigrationInterface, QueryRunner } from 'typeorm';
import { tenantIsolation } from '../policies';

/** The class of whatever does not say how long it is kept: rows from before this migration, and those of older processes. */
const LONGEST = 365;

const TABLES = [
  { name: 'workflow_runs', id: 'id', fillfactor: 85 },
  { name: 'workflow_node_runs', id: 'run_id', fillfactor: 95 },
  { name: 'workflow_run_events', id: 'run_id', fillfactor: 100 },
  { name: 'workflow_run_labels', id: 'run_id', fillfactor: 100 },
] as const;

/**
 * History by how long it is kept. Plans keep runs for different times, so one table per month could never be dropped
 * whole: each run gets its class, `retention_days`, when it starts, and history is partitioned by class first and by
 * run id, which begins with the time, second. The product makes the tables of each class ahead of time; the default ones
 * catch what falls outside, so that a missing one is never an outage.
 *
 * Runs get labels, by which they are found. Runs and events carry the number of the transaction that wrote them: the
 * only order in which a reader of a whole workspace can go on without missing what was committed late.
 *
 * Rows are copied, at some hundred thousand runs a minute, while the tables are locked; what is there becomes part of
 * the longest class, since nobody was promised less.
 *
 * Rollback: copies the history back. Labels, classes, marks and the tally of bytes are lost.
 */
export class RetentionClasses1795264000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await setAside(runner);
    await runner.query(`
      create table workflow_runs (
        id uuid not null,
        workspace_id uuid not null,
        workflow_id uuid not null,
        version_id uuid not null,
        trigger_node text not null,
        trigger_kind text not null,
        started_by text not null,
        -- json, not jsonb: nothing queries inside, and jsonb costs a tenth of the throughput.
        input json not null,
        -- Null while the run lives; whether it is queued, running or waiting is then told by run_queue.
        outcome text,
        output json,
        error json,
        created_at timestamptz not null default now(),
        started_at timestamptz,
        finished_at timestamptz,
        -- Days for which the run is kept once it is finished: what the plan promised when it started.
        retention_days smallint not null default ${LONGEST},
        labels json,
        -- Null for a run that begins something. {"parent": {"runId", "nodeId", "iteration"}, "depth"} for one that a run
        -- has called, {"rerunOf"}, {"deadLetter"} or {"errorOf"} for one that another has led to.
        origin json,
        -- The transaction that created the run. bigint, because xid8 has no BRIN.
        xact bigint not null default pg_current_xact_id()::text::bigint,
        -- The class first: beginning with the id, the key could serve lists in order, and a plan for a cell of few
        -- workspaces would walk through the runs of all of them.
        constraint workflow_runs_pkey primary key (retention_days, id),
        constraint workflow_runs_outcome_check check (outcome in ('succeeded', 'failed', 'canceled')),
        constraint workflow_runs_finished_check check ((outcome is null) = (finished_at is null)),
        constraint workflow_runs_error_check check (error is null or outcome in ('failed', 'canceled')),
        constraint workflow_runs_retention_days_check check (retention_days > 0)
      ) partition by list (retention_days);
      create index workflow_runs_workspace_id_id_idx on workflow_runs (workspace_id, id);
      -- With the workspace in it, since every reader says the workspace, too: a plan could otherwise take the index above
      -- and look for the runs of a quiet workflow among all of a busy workspace.
      create index workflow_runs_workspace_id_workflow_id_id_idx on workflow_runs (workspace_id, workflow_id, id);
      create index workflow_runs_xact_idx on workflow_runs using brin (xact) with (pages_per_range = 32, autosummarize = on);

      create table workflow_node_runs (
        run_id uuid not null,
        node_id text not null,
        -- '' outside loops; inside, the path of iteration numbers such as '3.1'.
        iteration text not null default '',
        workspace_id uuid not null,
        status text not null,
        attempts smallint not null default 1,
        -- The output ports taken, joined by commas; '' when none was.
        ports text not null default '',
        output json,
        error json,
        resume_at timestamptz,
        started_at timestamptz not null,
        finished_at timestamptz,
        -- What a node keeps until it is settled: its wait, its items, its attempt. Null once it is.
        state json,
        retention_days smallint not null default ${LONGEST},
        constraint workflow_node_runs_pkey primary key (run_id, node_id, iteration, retention_days),
        constraint workflow_node_runs_status_check
          check (status in ('running', 'waiting', 'succeeded', 'failed', 'skipped', 'canceled')),
        constraint workflow_node_runs_finished_check
          check ((status in ('running', 'waiting')) = (finished_at is null)),
        constraint workflow_node_runs_state_check check (state is null or status in ('running', 'waiting')),
        constraint workflow_node_runs_failed_check check ((status = 'failed') = (error is not null))
      ) partition by list (retention_days);

      -- One row holds the events of one checkpoint, numbered first_seq.. without a gap. Event 1 of every run is its
      -- creation and is the run's own row, so numbering here begins at 2.
      create table workflow_run_events (
        run_id uuid not null,
        first_seq integer not null,
        last_seq integer not null,
        workspace_id uuid not null,
        events json not null,
        retention_days smallint not null default ${LONGEST},
        xact bigint not null default pg_current_xact_id()::text::bigint,
        constraint workflow_run_events_pkey primary key (run_id, first_seq, retention_days),
        constraint workflow_run_events_seq_check check (first_seq >= 2 and last_seq >= first_seq)
      ) partition by list (retention_days);
      create index workflow_run_events_xact_idx on workflow_run_events using brin (xact)
        with (pages_per_range = 32, autosummarize = on);

      -- The labels of runs once more, in the order in which they are looked for.
      create table workflow_run_labels (
        workspace_id uuid not null,
        -- name:value
        label text not null,
        run_id uuid not null,
        retention_days smallint not null,
        constraint workflow_run_labels_pkey primary key (workspace_id, label, run_id, retention_days)
      ) partition by list (retention_days);

      alter table run_queue add column retention_days smallint not null default ${LONGEST};

      -- What each workspace's history takes up, by class and period of its partitions: a dropped partition takes its
      -- rows here along, and nothing has to be added up.
      create table workspace_history (
        workspace_id uuid not null,
        retention_days smallint not null,
        period_start timestamptz not null,
        runs bigint not null,
        bytes bigint not null,
        constraint workspace_history_pkey primary key (workspace_id, retention_days, period_start)
      ) with (fillfactor = 70);
      grant select on workspace_history to millrace_tenant;
      ${tenantIsolation('workspace_history')}

      -- Which transaction was the oldest unfinished one at which time: how far back a stream can be replayed.
      create table history_marks (
        at timestamptz not null,
        xact bigint not null,
        constraint history_marks_pkey primary key (at)
      );
      grant select on history_marks to millrace_tenant;`);
    for (const { name, id, fillfactor } of TABLES) {
      await runner.query(`
        create table ${name}_default partition of ${name} default with (fillfactor = ${fillfactor});
        create table ${name}_${LONGEST}d partition of ${name} for values in (${LONGEST}) partition by range (${id});
        create table ${name}_${LONGEST}d_default partition of ${name}_${LONGEST}d default with (fillfactor = ${fillfactor});
        grant select on ${name} to millrace_tenant;
        ${[name, `${name}_default`, `${name}_${LONGEST}d`, `${name}_${LONGEST}d_default`].map((table) => tenantIsolation(table)).join('')}`);
    }
    await makeMonths(runner);
    await takeBack(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await setAside(runner);
    await runner.query(`
      drop table history_marks;
      drop table workspace_history;
      drop table workflow_run_labels;
      alter table run_queue drop column retention_days;

      create table workflow_runs (
        id uuid not null,
        workspace_id uuid not null,
        workflow_id uuid not null,
        version_id uuid not null,
        trigger_node text not null,
        trigger_kind text not null,
        started_by text not null,
        input json not null,
        outcome text,
        output json,
        error json,
        created_at timestamptz not null default now(),
        started_at timestamptz,
        finished_at timestamptz,
        origin json,
        constraint workflow_runs_pkey primary key (id),
        constraint workflow_runs_outcome_check check (outcome in ('succeeded', 'failed', 'canceled')),
        constraint workflow_runs_finished_check check ((outcome is null) = (finished_at is null)),
        constraint workflow_runs_error_check check (error is null or outcome in ('failed', 'canceled'))
      ) partition by range (id);
      create index workflow_runs_workspace_id_id_idx on workflow_runs (workspace_id, id);
      create index workflow_runs_workflow_id_id_idx on workflow_runs (workflow_id, id);

      create table workflow_node_runs (
        run_id uuid not null,
        node_id text not null,
        iteration text not null default '',
        workspace_id uuid not null,
        status text not null,
        attempts smallint not null default 1,
        ports text not null default '',
        output json,
        error json,
        resume_at timestamptz,
        started_at timestamptz not null,
        finished_at timestamptz,
        state json,
        constraint workflow_node_runs_pkey primary key (run_id, node_id, iteration),
        constraint workflow_node_runs_status_check
          check (status in ('running', 'waiting', 'succeeded', 'failed', 'skipped', 'canceled')),
        constraint workflow_node_runs_finished_check
          check ((status in ('running', 'waiting')) = (finished_at is null)),
        constraint workflow_node_runs_state_check check (state is null or status in ('running', 'waiting')),
        constraint workflow_node_runs_failed_check check ((status = 'failed') = (error is not null))
      ) partition by range (run_id);

      create table workflow_run_events (
        run_id uuid not null,
        first_seq integer not null,
        last_seq integer not null,
        workspace_id uuid not null,
        events json not null,
        constraint workflow_run_events_pkey primary key (run_id, first_seq),
        constraint workflow_run_events_seq_check check (first_seq >= 2 and last_seq >= first_seq)
      ) partition by range (run_id);`);
    for (const { name, fillfactor } of TABLES.slice(0, 3)) {
      await runner.query(`
        create table ${name}_default partition of ${name} default with (fillfactor = ${fillfactor});
        grant select on ${name} to millrace_tenant;
        ${tenantIsolation(name)}
        ${tenantIsolation(`${name}_default`)}`);
    }
    await takeBack(runner);
  }
}

const KEPT = [
  ['workflow_runs', 'id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input, outcome, output, error, created_at, started_at, finished_at, origin'],
  ['workflow_node_runs', 'run_id, node_id, iteration, workspace_id, status, attempts, ports, output, error, resume_at, started_at, finished_at, state'],
  ['workflow_run_events', 'run_id, first_seq, last_seq, workspace_id, events'],
] as const; // prettier-ignore

/** Copies the rows out of the way, because the tables that come have the names of the tables that go. */
async function setAside(runner: QueryRunner): Promise<void> {
  await runner.query(`set local lock_timeout = '3s'`);
  for (const [table, columns] of KEPT) {
    await runner.query(`lock table ${table} in access exclusive mode`);
    await runner.query(
      `create temporary table ${table}_aside on commit drop as select ${columns} from ${table}`,
    );
    await runner.query(`drop table ${table}`);
  }
}

/** A month's rows in the default partition could never be dropped whole, and would be read at each month that is added. */
async function makeMonths(runner: QueryRunner): Promise<void> {
  // oxlint-disable-next-line typescript/no-unsafe-assignment -- the query's rows are typed by nobody
  const months: readonly { readonly suffix: string; readonly from: string; readonly to: string }[] =
    await runner.query(`
      with months as (
        select distinct date_trunc('month', to_timestamp(
                 ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) at time zone 'UTC') as month
          from workflow_runs_aside
         -- Ids that are no UUIDv7 of this product would stand for any time at all.
         where id between '01900000-0000-7000-8000-000000000000' and '02ffffff-ffff-7fff-bfff-ffffffffffff'
      ), bounds as (
        select to_char(month, 'YYYYMMDD') as suffix, b.n, rpad(lpad(to_hex((extract(epoch from b.at) * 1000)::bigint), 12, '0'), 32, '0')::uuid as id
          from months cross join lateral (values (1, month), (2, month + interval '1 month')) b (n, at)
      )
      select suffix, min(id::text) filter (where n = 1) as "from", min(id::text) filter (where n = 2) as "to"
        from bounds group by suffix order by suffix`);
  for (const { suffix, from, to } of months) {
    for (const { name, fillfactor } of TABLES) {
      const month = `${name}_${LONGEST}d_${suffix}`;
      await runner.query(`
        create table ${month} partition of ${name}_${LONGEST}d for values from ('${from}') to ('${to}')
          with (fillfactor = ${fillfactor});
        ${tenantIsolation(month)}`);
    }
  }
}

async function takeBack(runner: QueryRunner): Promise<void> {
  for (const [table, columns] of KEPT) {
    await runner.query(`insert into ${table} (${columns}) select ${columns} from ${table}_aside`);
    await runner.query(`drop table ${table}_aside`);
  }
}
