import { planOf, useTestDb } from '#platform/testing';
import { clearBlocks, listBlocks, purgeBlocks, recordBlocks, trimBlocks } from './block-events.sql';
import { findPolicy, lockPolicy, savePolicy } from './egress-policy.sql';

describe('Statements of egress', () => {
  const testDb = useTestDb();

  /** With a few rows a table is read whole, whatever indexes it has. */
  beforeAll(async () => {
    await testDb().sql(`
      create temporary table made as select gen_random_uuid() as id, n from generate_series(1, 1500) n;
      insert into tenants (workspace_id) select id from made;
      insert into egress_policies (workspace_id, default_action, allow, deny, dry_run, updated_by)
        select id, 'deny', '{a.test}', '{}', false, 'user:x' from made;
      insert into egress_block_events (workspace_id, id, run_ids, node_id, iteration, host, rule, url, message, dry_run, minute,
          first_at, last_at)
        select m.id, gen_random_uuid(), '{}', 'n', '', 'h' || e, 'scheme', 'u', 'm', false, at, at, at
          from (select * from made limit 20) m, generate_series(1, 2000) e, lateral (select now() - make_interval(mins => m.n + e) as at) t;
      insert into run_queue (run_id, workspace_id, workflow_id, state, turn)
        select gen_random_uuid(), id, gen_random_uuid(), 'queued', n from made;
      analyze tenants, egress_policies, egress_block_events, run_queue;`);
  }, 60_000);

  it.each([
    { found: findPolicy, indexes: ['egress_policies_pkey'] },
    { found: lockPolicy, indexes: ['egress_policies_pkey'] },
    { found: savePolicy, indexes: ['egress_policies_pkey'] },
    { found: recordBlocks, indexes: ['(run_id = u.run_id)', 'egress_block_events_minute_key'] },
    { found: trimBlocks, indexes: ['egress_block_events_pkey'] },
    { found: purgeBlocks, indexes: ['egress_block_events_minute_idx'] },
    { found: listBlocks, indexes: ['egress_block_events_pkey'] },
    // Either index that begins with the workspace does.
    { found: clearBlocks, indexes: ['Index Cond: (workspace_id = $1)'] },
  ])('$found.name finds its rows by an index', async ({ found, indexes }) => {
    const plan = await planOf(testDb().db, found);
    for (const index of indexes) expect(plan).toContain(index);
    expect(plan).not.toContain('Seq Scan');
  });
});
