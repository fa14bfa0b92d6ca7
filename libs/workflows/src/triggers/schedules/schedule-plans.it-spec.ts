import { useTestDb } from '#platform/testing';
import { type AnyStatement, aPublishedWorkflow, explained, tablesReadWhole } from '../../testing';
import { retireSchedules, lockSchedulesOf } from './schedule-sync.sql';
import { findSchedule, listFires, listSchedules, recordManualFire } from './schedule-views.sql';
import {
  advanceSchedules,
  listDueSchedules,
  listFiredRuns,
  listKnownFires,
  lockDueSchedules,
  nextScheduleDue,
  purgeFires,
  putOffSchedule,
  recordFires,
} from './schedules.sql';

/** The index each statement must find its rows by; none of them may read a whole table. */
const EXPECTED: readonly (readonly [AnyStatement, readonly string[]])[] = [
  [listDueSchedules, ['workflow_schedules_fire_at_idx', 'workflow_schedules_waiting_idx', 'run_queue_pkey']],
  [nextScheduleDue, ['workflow_schedules_fire_at_idx']],
  [lockDueSchedules, ['workflow_schedules_pkey', 'run_queue_pkey']],
  [listFiredRuns, ['workflow_schedules_pkey', 'schedule_fires_pkey', 'run_queue_pkey']],
  [listKnownFires, ['schedule_fires_pkey']],
  [recordFires, []],
  [advanceSchedules, ['workflow_schedules_pkey']],
  [putOffSchedule, ['workflow_schedules_pkey', 'schedule_fires_pkey']],
  [purgeFires, ['schedule_fires_fired_at_idx']],
  [lockSchedulesOf, ['workflow_schedules_workspace_id_workflow_id_version_id_idx']],
  [retireSchedules, ['workflow_schedules_workspace_id_workflow_id_version_id_idx']],
  [listSchedules, ['workflow_schedules_workspace_id_workflow_id_version_id_idx']],
  [findSchedule, ['workflow_schedules_pkey']],
  [listFires, ['schedule_fires_pkey']],
  [recordManualFire, ['schedule_fires_pkey']],
];

describe('the plans of the scheduler’s statements, as prepared for any parameters', () => {
  const testDb = useTestDb({ poolSize: 1 });

  beforeAll(async () => {
    const { workspaceId, workflowId, versionId } = await aPublishedWorkflow(testDb(), {
      nodes: [{ id: 'start', type: 'trigger.manual' }],
      edges: [],
    });
    await testDb().sql(
      `insert into workflows (id, workspace_id, name, draft, created_by)
       select gen_random_uuid(), $1, 'workflow ' || n, '{}', 'user:test' from generate_series(1, 5000) n`,
      [workspaceId],
    );
    await testDb().sql(
      `insert into workflow_schedules (id, workspace_id, workflow_id, node_id, params)
       select gen_random_uuid(), workspace_id, id, 'when', '{}' from workflows where id <> $1`,
      [workflowId],
    );
    await testDb().sql(
      `insert into workflow_schedules (id, workspace_id, workflow_id, node_id, version_id, params, due_at, fire_at,
                                       waiting_due_at)
       select gen_random_uuid(), $1, $2, 'when' || n, $3, '{}', now() + n * interval '1 second',
              now() + n * interval '1 second', case when n % 100 = 0 then now() end
         from generate_series(1, 5000) n`,
      [workspaceId, workflowId, versionId],
    );
    await testDb().sql(
      `insert into schedule_fires (schedule_id, due_at, workspace_id, outcome, run_id, fired_at)
       select id, now() - n * interval '1 hour', workspace_id, 'started', gen_random_uuid(), now() - (20 - n) * interval '1 hour'
         from generate_series(1, 20) n, workflow_schedules`,
    );
    await testDb().sql(
      `insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input)
       select gen_random_uuid(), $1, $2, $3, 'when', 'trigger.schedule', 'schedule:x', '{}' from generate_series(1, 20000) n`,
      [workspaceId, workflowId, versionId],
    );
    await testDb().sql(
      `insert into run_queue (run_id, workspace_id, workflow_id, state, turn)
       select id, workspace_id, workflow_id, 'queued', 1 from workflow_runs`,
    );
    await testDb().sql('analyze');
    await testDb().sql('set enable_material = on');
  }, 60_000);

  it.each(EXPECTED.map(([statement, indexes]) => [statement.name, statement, indexes] as const))(
    '%s goes by its index and reads no table whole',
    async (_name, statement, indexes) => {
      const plan = await explained(testDb(), statement);
      expect({ plan, whole: tablesReadWhole(plan) }).toEqual({ plan, whole: [] });
      for (const index of indexes) expect(plan).toContain(index);
    },
  );
});

describe('the plans of the scheduler’s statements on tables that nobody has looked at yet', () => {
  const testDb = useTestDb({ poolSize: 1 });

  it.each(EXPECTED.map(([statement]) => [statement.name, statement] as const))(
    '%s reads no table whole',
    async (_name, statement) => {
      const plan = await explained(testDb(), statement);
      expect({ plan, whole: tablesReadWhole(plan) }).toEqual({ plan, whole: [] });
    },
  );
});
