import { randomUUID } from 'node:crypto';
import type { Statement } from '#platform';
import { useTestDb } from '#platform/testing';
import { aPublishedWorkflow } from '../../testing';
import {
  ensureGates,
  grantKeys,
  letThrough,
  listGated,
  listKeyed,
  listWaiting,
  lockFreeGates,
  lockGates,
  storeGates,
} from './gates.sql';
import { listPaused, lockTurnsOf, resumeRuns } from './paused-runs.sql';
import { countStarts, lockStartWindows } from './start-windows.sql';
import { whyGatedRun } from './why-gated.sql';

const RUNS = 100_000;
/** Entries a statement may read of the queue, while so many runs stand at the gate. */
const FEW = 300;

type Param = string | number | Date | null | readonly string[];

function literal(param: Param): string {
  if (param === null) return 'null';
  if (param instanceof Date) return `'${param.toISOString()}'`;
  return typeof param === 'object' ? `'{${param.join(',')}}'` : `'${param}'`;
}

/** One line of a plan that reads a table, with what it read when it was run. */
interface Read {
  readonly line: string;
  readonly rows: number;
}

describe('the plans of the gate’s statements, with 100,000 runs of one workspace at it', () => {
  const testDb = useTestDb({ poolSize: 1 });
  const [keyHash, other] = [randomUUID(), randomUUID()];
  let crowd: { readonly workspaceId: string; readonly workflowId: string };
  let single: typeof crowd;
  let runId = '';

  beforeAll(async () => {
    const definition = { nodes: [{ id: 'start', type: 'trigger.manual' }], edges: [] };
    crowd = await aPublishedWorkflow(testDb(), definition);
    single = await aPublishedWorkflow(testDb(), definition);
    // Half of them wait for one key's slot, half for the plan's places; and others are queued, owned, parked and paused.
    await testDb().sql(
      `insert into run_queue (run_id, workspace_id, workflow_id, state, turn, limited, key_hash, key_limit)
       select gen_random_uuid(), $1, $2, 'gated', n, true, case n % 2 when 1 then $3::uuid end, case n % 2 when 1 then 2 end
         from generate_series(1, ${RUNS}) n`,
      [crowd.workspaceId, crowd.workflowId, keyHash],
    );
    await testDb().sql(
      `insert into run_queue (run_id, workspace_id, workflow_id, state, turn, resume_at, worker_id)
       select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), s.state, n,
              case s.state when 'parked' then now() end, case s.state when 'owned' then gen_random_uuid() end
         from generate_series(1, 20000) n
        cross join lateral (select (array['queued', 'owned', 'parked', 'paused'])[1 + n % 4] as state) s`,
    );
    await testDb().sql(
      `insert into run_queue (run_id, workspace_id, workflow_id, state, turn)
       select gen_random_uuid(), $1, $2, 'paused', n from generate_series(1, 20000) n`,
      [crowd.workspaceId, crowd.workflowId],
    );
    const [row] = await testDb().sql<{ run_id: string }>(
      `insert into run_queue (run_id, workspace_id, workflow_id, state, turn, limited, key_hash, key_limit)
       values (gen_random_uuid(), $1, $2, 'gated', 1, true, $3, 1) returning run_id`,
      [single.workspaceId, single.workflowId, other],
    );
    runId = row?.run_id ?? '';
    await testDb().sql(
      `insert into workflows (id, workspace_id, name, draft, created_by)
       select gen_random_uuid(), $1, 'workflow ' || n, '{}', 'user:test' from generate_series(1, 2000) n`,
      [single.workspaceId],
    );
    await testDb().sql(
      `insert into workspace_gates (workspace_id, concurrent_runs, concurrent_runs_per_workflow)
       select u, 10, 5 from unnest($1::uuid[]) u`,
      [[crowd.workspaceId, single.workspaceId]],
    );
    await testDb().sql(
      `insert into workspace_turns (workspace_id, turn) select u, 200000 from unnest($1::uuid[]) u`,
      [[crowd.workspaceId, single.workspaceId]],
    );
    await testDb().sql('analyze');
    await testDb().sql('set plan_cache_mode = force_generic_plan');
  }, 60_000);

  /** Runs the statement for real, and takes it back; gives what it read of the queue, line by line. */
  async function readsOf<P extends readonly Param[], R>({ name, text }: Statement<P, R>, ...params: P) {
    const prepared = `plan_${name.replaceAll('-', '_')}`;
    await testDb().sql(`prepare ${prepared} as ${text}`);
    const literals = params.map(literal);
    await testDb().sql('begin');
    const rows = await testDb().sql<{ 'QUERY PLAN': string }>(
      `explain (analyze, costs off, timing off, summary off) execute ${prepared}(${literals.join(', ')})`,
    );
    await testDb().sql('rollback');
    const lines = rows.map((row) => row['QUERY PLAN']);
    const reads: Read[] = [];
    for (const [index, line] of lines.entries()) {
      const found = /Scan.* on (?:run_queue|workflows)\b.*actual rows=([\d.]+) loops=(\d+)/.exec(line);
      if (!found) continue;
      const removed = lines
        .slice(index + 1, index + 6)
        .map((next) => /Rows Removed by Filter: (\d+)/.exec(next)?.[1]);
      const filtered = Number(removed.find((count) => count !== undefined) ?? 0);
      reads.push({ line: line.trim(), rows: (Number(found[1]) + filtered) * Number(found[2]) });
    }
    return { reads, plan: lines.join('\n') };
  }

  const CASES = [
    ['let-through', () => readsOf(letThrough, [crowd.workspaceId, single.workspaceId], 500)],
    [
      'grant-keys',
      () =>
        readsOf(
          grantKeys,
          `${crowd.workspaceId}\u001f${single.workspaceId}`,
          `${keyHash}\u001f${other}`,
          500,
        ),
    ],
    ['list-gated', () => readsOf(listGated, null, 200)],
    ['list-keyed', () => readsOf(listKeyed, null, null, 200)],
    ['list-waiting', () => readsOf(listWaiting, [crowd.workspaceId, single.workspaceId])],
    ['ensure-gates', () => readsOf(ensureGates, [crowd.workspaceId])],
    ['resume-runs', () => readsOf(resumeRuns, crowd.workflowId, 100)],
  ] as const;

  // Seen to fail without each of the partial indexes, and (100,000 rows) with the runs of a workflow numbered before they
  // are limited to as many as there are places.
  it.each(CASES)('%s reads no more of the queue than it gives away', async (_name, run) => {
    const { reads, plan } = await run();
    expect({ plan, reads: reads.length > 0 }).toEqual({ plan, reads: true });
    expect({ plan, many: reads.filter(({ rows }) => rows > FEW) }).toEqual({ plan, many: [] });
    expect(plan).not.toMatch(/Seq Scan on (run_queue|workflows)\b/);
  });

  it('list-paused reads a few entries for each workflow, however many runs it has', async () => {
    const { reads, plan } = await readsOf(listPaused, null, 50);
    expect({ plan, many: reads.filter(({ rows }) => rows > FEW) }).toEqual({ plan, many: [] });
  });

  it.each([
    [lockGates.name, () => readsOf(lockGates, [crowd.workspaceId])],
    [lockFreeGates.name, () => readsOf(lockFreeGates, [crowd.workspaceId])],
    [storeGates.name, () => readsOf(storeGates, crowd.workspaceId, '3', '')],
    [lockTurnsOf.name, () => readsOf(lockTurnsOf, crowd.workflowId)],
    [lockStartWindows.name, () => readsOf(lockStartWindows, crowd.workflowId, crowd.workspaceId, '60', null)],
    [countStarts.name, () => readsOf(countStarts, crowd.workflowId, '60', '1', '{1}')],
    [whyGatedRun.name, () => readsOf(whyGatedRun, runId)],
  ] as const)('%s reads no queue whole', async (_name, run) => {
    const { plan } = await run();
    expect(plan).not.toMatch(/Seq Scan on (run_queue|workflows)\b/);
  });
});
