import { randomUUID } from 'node:crypto';
import type { Statement } from '#platform';
import { useTestDb } from '#platform/testing';
import { aPublishedWorkflow } from '../../testing';
import { purgeRuns } from '../../deletion/purge.sql';
import { findRun, listNodeRuns, listRuns, listRunsOfWorkflow, readEvents } from '../../runs/read-runs.sql';
import { cancelHeldByNobody, lockLiveRun, requestCancel } from './cancel-run.sql';
import { checkpoint } from './checkpoint.sql';
import { claimDue, claimQueued, nextDue } from './claim-runs.sql';
import { loadLastSeq, loadNodeRuns } from './load-progress.sql';
import { claimStartKeys, purgeStartKeys, readStartKeys, releaseStartKeys } from './start-keys.sql';
import { copyResults, startRuns } from './start-runs.sql';
import {
  cancelChildren,
  cancelOrphans,
  deliverSignals,
  insertSignal,
  loadSignals,
  purgeSignals,
  signalRun,
  takeAttention,
} from './signals.sql';
import { heartbeatWorker, releaseRuns, releaseUnheld, rescueRuns } from './workers.sql';

type AnyStatement = Statement<readonly unknown[], unknown>;

/** The index each statement must find its rows by; none of them may read a whole table. */
const EXPECTED: readonly (readonly [AnyStatement, readonly string[]])[] = [
  [startRuns, ['run_queue_turn_idx']],
  [claimStartKeys, []],
  [readStartKeys, ['run_start_keys_pkey']],
  [releaseStartKeys, ['run_start_keys_pkey']],
  [purgeStartKeys, ['run_start_keys_created_at_idx']],
  [
    claimQueued,
    ['run_queue_turn_idx', 'run_queue_pkey', 'workflows_paused_idx', 'workflow_runs_default_pkey'],
  ],
  [claimDue, ['run_queue_resume_at_idx', 'run_queue_pkey', 'workflow_runs_default_pkey']],
  [nextDue, ['run_queue_resume_at_idx']],
  [checkpoint, ['run_queue_pkey', 'workflow_runs_default_pkey', 'workflow_node_runs_default_pkey']],
  [loadNodeRuns, ['workflow_node_runs_default_pkey']],
  [loadLastSeq, ['workflow_run_events_default_pkey']],
  [heartbeatWorker, []],
  [rescueRuns, ['run_queue_worker_id_idx']],
  [releaseRuns, ['run_queue_worker_id_idx']],
  [releaseUnheld, ['run_queue_worker_id_idx']],
  [takeAttention, ['run_queue_attention_idx', 'run_queue_pkey']],
  [insertSignal, []],
  [signalRun, ['run_queue_pkey']],
  [deliverSignals, ['run_signals_undelivered_idx', 'run_queue_pkey']],
  [loadSignals, ['run_signals_pkey']],
  [cancelChildren, ['run_queue_parent_run_id_idx']],
  [cancelOrphans, ['run_queue_parent_run_id_idx', 'run_queue_pkey']],
  [purgeSignals, ['run_signals_created_at_idx']],
  [copyResults, ['workflow_node_runs_default_pkey']],
  [lockLiveRun, ['run_queue_pkey']],
  [requestCancel, ['run_queue_pkey']],
  [cancelHeldByNobody, ['run_queue_pkey', 'workflow_runs_default_pkey', 'workflow_node_runs_default_pkey']],
  [
    purgeRuns,
    [
      'workflow_runs_default_workspace_id_id_idx',
      'workflow_node_runs_default_pkey',
      'workflow_run_events_default_pkey',
      'workflow_runs_default_pkey',
    ],
  ],
  [listRuns, ['workflow_runs_default_workspace_id_id_idx']],
  [listRunsOfWorkflow, ['workflow_runs_default_workflow_id_id_idx']],
  [findRun, ['workflow_runs_default_workspace_id_id_idx']],
  [listNodeRuns, ['workflow_node_runs_default_pkey']],
  [readEvents, ['workflow_run_events_default_pkey']],
];

/** Small by nature: one row per worker or workspace, read whole where a plan prefers it. */
const SMALL = new Set(['engine_workers', 'workspace_turns', 'workflow_versions']);

describe('the plans of the engine’s statements, as prepared for any parameters', () => {
  const testDb = useTestDb({ poolSize: 1 });

  beforeAll(async () => {
    const { workspaceId, workflowId, versionId } = await aPublishedWorkflow(testDb(), {
      nodes: [{ id: 'start', type: 'trigger.manual' }],
      edges: [],
    });
    await testDb().sql(
      `insert into workflows (id, workspace_id, name, draft, created_by)
       select gen_random_uuid(), $1, 'workflow ' || n, '{}', 'user:test' from generate_series(1, 2000) n`,
      [workspaceId],
    );
    await testDb().sql(
      `insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input)
       select gen_random_uuid(), $1, $2, $3, 'start', 'trigger.manual', 'user:test', '{}'
         from generate_series(1, 20000)`,
      [workspaceId, workflowId, versionId],
    );
    await testDb().sql(
      `insert into run_queue (run_id, workspace_id, workflow_id, state, turn, worker_id, resume_at)
       select id, workspace_id, workflow_id, s.state, row_number() over (),
              case s.state when 'owned' then $1::uuid end, case s.state when 'parked' then now() end
         from (select r.*, row_number() over () as n from workflow_runs r) r
        cross join lateral (select (array['queued', 'queued', 'owned', 'parked'])[1 + r.n % 4] as state) s`,
      [randomUUID()],
    );
    await testDb().sql(
      `insert into workflow_node_runs (run_id, node_id, workspace_id, status, started_at, finished_at)
       select id, 'start', workspace_id, 'succeeded', now(), now() from workflow_runs`,
    );
    await testDb().sql(
      `insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events)
       select id, 2, 3, workspace_id, '[]' from workflow_runs`,
    );
    await testDb().sql(
      `insert into run_start_keys (workflow_id, key, workspace_id, run_id, request_hash)
       select $1, n::text, $2, gen_random_uuid(), sha256(n::text::bytea) from generate_series(1, 20000) n`,
      [workflowId, workspaceId],
    );
    await testDb().sql(
      `insert into run_signals (run_id, node_id, workspace_id, message, delivered)
       select gen_random_uuid(), 'start', $1, '{}', n % 20 > 0 from generate_series(1, 20000) n`,
      [workspaceId],
    );
    await testDb().sql('analyze');
    await testDb().sql('set plan_cache_mode = force_generic_plan');
  });

  it.each(EXPECTED.map(([statement, indexes]) => [statement.name, statement, indexes] as const))(
    '%s goes by its index and reads no table whole',
    async (name, statement, indexes) => {
      const prepared = `plan_${name.replaceAll('-', '_')}`;
      await testDb().sql(`prepare ${prepared} as ${statement.text}`);
      const [count] = await testDb().sql<{ n: number }>(
        'select cardinality(parameter_types) as n from pg_prepared_statements where name = $1',
        [prepared],
      );
      const nulls = Array.from({ length: count?.n ?? 0 }, () => 'null').join(', ');
      const rows = await testDb().sql<{ 'QUERY PLAN': string }>(
        `explain execute ${prepared}${nulls === '' ? '' : `(${nulls})`}`,
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      const whole = [...plan.matchAll(/Seq Scan on (\w+)/g)].map(([, table]) => table ?? '');
      expect({ plan, whole: whole.filter((table) => !SMALL.has(table)) }).toEqual({ plan, whole: [] });
      for (const index of indexes) expect(plan).toContain(index);
    },
  );
});
