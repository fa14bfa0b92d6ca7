import { randomUUID } from 'node:crypto';
import { statement } from '#platform';
import { useTestDb } from '#platform/testing';
import { findUsage } from './find-usage.sql';
import { takeRuns } from './take-runs.sql';

const forceGenericPlan = statement<[], unknown>(
  'test-force-generic-plan',
  'set local plan_cache_mode = force_generic_plan',
);

describe('plans of the usage statements', () => {
  const testDb = useTestDb();

  beforeAll(async () => {
    // Old workspaces with three years of periods: enough that a Seq Scan would be the wrong plan.
    await testDb().sql(`
      insert into tenants (workspace_id) select gen_random_uuid() from generate_series(1, 2000);
      insert into workspace_run_usage (workspace_id, period_start, period_end, plan, run_limit)
        select workspace_id, at, at + interval '28 days', 'solo', 250
          from tenants, generate_series(timestamptz '2023-04-01Z', '2026-03-01Z', interval '1 month') at;
      analyze workspace_run_usage;`);
  }, 60_000);

  function explain(name: string, text: string, params: string): Promise<string> {
    const prepare = statement<[], unknown>(`test-prepare-${name}`, `prepare test_${name} as ${text}`);
    const show = statement<[], { readonly 'QUERY PLAN': string }>(
      `test-explain-${name}`,
      `explain execute test_${name}(${params})`,
    );
    const drop = statement<[], unknown>(`test-deallocate-${name}`, `deallocate test_${name}`);
    return testDb().db.cell('cell_1', async (tx) => {
      await tx.query(forceGenericPlan);
      await tx.query(prepare);
      const lines = await tx.query(show);
      await tx.query(drop);
      return lines.map((line) => line['QUERY PLAN']).join('\n');
    });
  }

  it('takes runs by the primary key, bounded on both sides, without a Seq Scan', async () => {
    const plan = await explain('take', takeRuns.text, `'${randomUUID()}', '1', '2026-03-10Z'`);
    expect(plan).not.toContain('Seq Scan');
    expect(plan.match(/Index Scan using workspace_run_usage_pkey/g)).toHaveLength(2);
    expect(plan).toMatch(/Index Cond: .*period_start <= \$3.*period_start > \(\$3 - /);
    expect(plan).toMatch(/LockRows.*\n\s+->  (Incremental )?Sort .*\n\s+Sort Key: u_1.workspace_id/);
  });

  it('finds the use of a period by the primary key', async () => {
    const plan = await explain('find', findUsage.text, `'${randomUUID()}', '2026-03-01Z'`);
    expect(plan).toContain('Index Scan using workspace_run_usage_pkey');
    expect(plan).not.toContain('Seq Scan');
  });
});
