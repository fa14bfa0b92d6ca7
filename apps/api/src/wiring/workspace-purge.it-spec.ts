import { randomBytes, randomUUID } from 'node:crypto';
import { Test, type TestingModule } from '@nestjs/testing';
import { Clock, parseConfig, SystemClock } from '#platform';
import { barrier, CollectingLogger, PinnedClock, useTestDb } from '#platform/testing';
import { WorkspacePurgeDuty } from '#workspaces';
import { AppModule } from '../app.module';

const CELLS = ['cell_1', 'cell_2'] as const;
/** More than a batch of runs, and more than a round of batches. */
const RUNS = 2_100;

/** Puts a row of a workspace into a table; `$1` is the workspace, `$2` a workflow of it, `$3` a version. */
const ROWS: Readonly<Record<string, string>> = {
  tenants: `insert into tenants (workspace_id) values ($1)`,
  workflows: `insert into workflows (id, workspace_id, name, draft, created_by) values ($2, $1, 'W', '{}', 'user:x')`,
  workflow_versions: `insert into workflow_versions (id, workspace_id, workflow_id, number, definition, published_by)
    values ($3, $1, $2, 1, '{}', 'user:x')`,
  workflow_hooks: `insert into workflow_hooks (id, workspace_id, workflow_id, node_id)
    values (gen_random_uuid(), $1, $2, 'hook')`,
  workflow_schedules: `insert into workflow_schedules (id, workspace_id, workflow_id, node_id, version_id, params)
    values (gen_random_uuid(), $1, $2, 'when', $3, '{}')`,
  schedule_fires: `insert into schedule_fires (schedule_id, due_at, workspace_id, outcome)
    select s.id, timestamptz '2026-01-01Z' + n * interval '1 minute', $1, 'skipped'
      from workflow_schedules s, generate_series(1, 1500) n where s.workspace_id = $1`,
  hook_secrets: `insert into hook_secrets (id, workspace_id, hook_id, kind, sealed, set_by)
    select gen_random_uuid(), workspace_id, id, 'signing', 'x', 'user:x' from workflow_hooks where workspace_id = $1`,
  hook_deliveries: `insert into hook_deliveries (id, workspace_id, hook_id, workflow_id, state, reason, method, headers,
      query, body_bytes, expires_at)
    select gen_random_uuid(), $1, gen_random_uuid(), $2, 'rejected', 'x', 'POST', '{}', '{}', 0, now() + interval '90 days'
      from generate_series(1, 1500)`,
  hook_replays: `insert into hook_replays (hook_id, digest, workspace_id, delivery_id, expires_at)
    values (gen_random_uuid(), sha256('x'), $1, gen_random_uuid(), now() + interval '90 days')`,
  workflow_runs: `insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind,
      started_by, input, outcome, finished_at, labels)
    select gen_random_uuid(), $1, $2, $3, 'start', 'trigger.manual', 'user:x', '{}', 'succeeded', now(), '{"a":"b"}'
      from generate_series(1, ${RUNS})`,
  workflow_node_runs: `insert into workflow_node_runs (run_id, node_id, workspace_id, status, started_at, finished_at)
    select id, node, $1, 'succeeded', now(), now() from workflow_runs, unnest(array['start', 'end']) node
     where workspace_id = $1`,
  workflow_run_events: `insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events)
    select id, 2, 3, $1, '[]' from workflow_runs where workspace_id = $1`,
  workflow_run_labels: `insert into workflow_run_labels (workspace_id, label, run_id, retention_days)
    select $1, 'a:b', id, 365 from workflow_runs where workspace_id = $1`,
  workspace_history: `insert into workspace_history (workspace_id, retention_days, period_start, runs, bytes)
    values ($1, 30, now(), 2, 1000)`,
  run_queue: `with run as (
      insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input)
      values (gen_random_uuid(), $1, $2, $3, 'start', 'trigger.manual', 'user:x', '{}') returning id)
    insert into run_queue (run_id, workspace_id, workflow_id, state, turn, resume_at)
    select id, $1, $2, 'parked', 1, now() + interval '1 year' from run`,
  run_start_keys: `insert into run_start_keys (workflow_id, key, workspace_id, run_id, request_hash)
    select $2, n, $1, gen_random_uuid(), sha256('x') from generate_series(1, 1500) n`,
  run_signals: `insert into run_signals (run_id, node_id, workspace_id, message) values (gen_random_uuid(), 'n', $1, '{}')`,
  dead_letters: `insert into dead_letters (run_id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind,
      started_by, input, error_code, error, created_at, failed_at)
    values (gen_random_uuid(), $1, $2, $3, 'start', 'trigger.manual', 'user:x', '{}', 'x', '{}', now(), now())`,
  run_approvals: `insert into run_approvals (id, workspace_id, run_id, node_id, title, message, roles, user_ids, quorum,
      started_by, self_approval, form)
    values (gen_random_uuid(), $1, gen_random_uuid(), 'ask', 'x', '', '{}', '{}', 1, 'user:x', false, '[]')`,
  run_approval_votes: `insert into run_approval_votes (approval_id, workspace_id, user_id, vote, comment, form)
    select id, workspace_id, gen_random_uuid(), 'approve', '', '{}' from run_approvals where workspace_id = $1`,
  workspace_secrets: `insert into workspace_secrets (id, workspace_id, name, sealed, created_by, updated_by)
    values (gen_random_uuid(), $1, 'KEY', 'x', 'user:x', 'user:x')`,
  workspace_turns: `insert into workspace_turns (workspace_id, turn) values ($1, 5)`,
  workspace_gates: `insert into workspace_gates (workspace_id, concurrent_runs) values ($1, 5)`,
  run_start_windows: `insert into run_start_windows (scope_id, workspace_id, window_seconds, slot, starts)
    values ($1, $1, 300, 1, '{1}')`,
  egress_policies: `insert into egress_policies (workspace_id, default_action, allow, deny, dry_run, updated_by)
    values ($1, 'deny', '{example.com}', '{}', false, 'user:x')`,
  egress_block_events: `insert into egress_block_events (id, workspace_id, run_ids, node_id, iteration, host, rule, url,
      message, dry_run, minute, first_at, last_at)
    select gen_random_uuid(), $1, '{}', 'n', '', 'h' || n, 'scheme', 'x', 'x', false, now(), now(), now()
      from generate_series(1, 1500) n`,
  workspace_run_usage: `insert into workspace_run_usage (workspace_id, period_start, period_end, plan)
    select $1, at, at + interval '28 days', 'solo'
      from generate_series(timestamptz '2025-01-01Z', '2025-12-01Z', interval '1 month') at`,
  workspace_directory: `insert into workspace_directory (workspace_id, cell_id) values ($1, current_schema)`,
  workspace_members: `insert into workspace_members (workspace_id, user_id, role) values ($1, gen_random_uuid(), 'viewer')`,
  workspace_audit_log: `insert into workspace_audit_log (id, workspace_id, actor_kind, action, target_kind, target_id)
    select gen_random_uuid(), $1, 'system', 'thing.changed', 'thing', n from generate_series(1, 50) n`,
  workspace_invitations: `insert into workspace_invitations (id, workspace_id, email, role, token_hash, created_at, sent_at,
      expires_at)
    values (gen_random_uuid(), $1, 'a@example.com', 'viewer', sha256($1::uuid::text::bytea), now(), now(), now() + interval '1 day')`,
  workspace_invite_links: `insert into workspace_invite_links (id, workspace_id, role, token_hash, allowed_domains,
      created_at, expires_at)
    values (gen_random_uuid(), $1, 'viewer', sha256($1::uuid::text::bytea), '{}', now(), now() + interval '1 day')`,
  api_keys: `insert into api_keys (id, workspace_id, name, prefix, hash, role, created_at)
    values (gen_random_uuid(), $1, 'K', left(replace($1::uuid::text, '-', ''), 16), sha256('x'), 'member', now())`,
  idempotency_keys: `insert into idempotency_keys (scope, key, workspace_id, request_hash) values ($1::uuid::text, 'k', $1, sha256('x'))`,
};

// The purge of a cell walks every table once per process.
jest.setTimeout(30_000);

/** A table with rows of workspaces, and where it is. */
interface TenantTable {
  readonly schema: string;
  readonly name: string;
}

describe('The purge of a workspace', () => {
  const testDb = useTestDb({ cells: ['cell_2'] });
  const never = new AbortController().signal;

  /** A process of the application, thirty days later. None of its loops runs by itself. */
  async function process(): Promise<TestingModule> {
    const module = await Test.createTestingModule({
      imports: [
        AppModule.forRoot({
          config: parseConfig({ ROLES: 'api', DATABASE_POOL_SIZE: '2' }),
          databaseUrl: testDb().url,
          secretKey: randomBytes(32),
          logger: new CollectingLogger(),
        }),
      ],
    })
      .overrideProvider(Clock)
      .useValue(new PinnedClock(new Date(new SystemClock().now().getTime() + 31 * 24 * 60 * 60_000)))
      .compile();
    await module.init();
    closing.push(() => module.close());
    return module;
  }

  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  /** From the catalogue: whatever is added later is here, too. Partitions are parts of their tables. */
  async function tenantTables(): Promise<readonly TenantTable[]> {
    return testDb().sql<{ schema: string; name: string }>(
      `select n.nspname as schema, c.relname as name
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped
        where n.nspname in ('control', 'cell_1', 'cell_2') and c.relkind in ('r', 'p') and not c.relispartition
        order by 1, 2`,
    );
  }

  /** Rows of a workspace by table, where there are any; the workspace itself is one of them. */
  async function rowsOf(workspaceId: string): Promise<Readonly<Record<string, number>>> {
    const found: Record<string, number> = {};
    const tables = [
      ...(await tenantTables()).map(({ schema, name }) => ({ schema, name, column: 'workspace_id' })),
      { schema: 'control', name: 'workspaces', column: 'id' },
    ];
    for (const { schema, name, column } of tables) {
      const [row] = await testDb().sql<{ count: number }>(
        `select count(*)::int as count from ${schema}.${name} where ${column} = $1`,
        [workspaceId],
      );
      if (row && row.count > 0) found[`${schema}.${name}`] = row.count;
    }
    return found;
  }

  const total = async (workspaceId: string) =>
    Object.values(await rowsOf(workspaceId)).reduce((sum, count) => sum + count, 0);

  /** A workspace in a cell with rows in every table that has a column for it. */
  async function aFullWorkspace(
    cellId: string,
    { isDeleted }: { readonly isDeleted: boolean },
  ): Promise<string> {
    const [id, workflowId, versionId, ownerId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    await testDb().sql(`
      begin;
      insert into workspaces (id, name, slug, created_by, owner_id, anchor_at, deleted_at, purge_at)
        select '${id}', 'W', 'w-${id}', '${ownerId}', '${ownerId}', date_trunc('second', now()),
               case when ${isDeleted} then now() end, case when ${isDeleted} then now() + interval '30 days' end;
      insert into workspace_members (workspace_id, user_id, role) values ('${id}', '${ownerId}', 'owner');
      commit;`);
    for (const text of Object.values(ROWS)) {
      const given = [id, workflowId, versionId].slice(0, new Set(text.match(/\$\d/g)).size);
      await testDb().sql(text, given, cellId);
    }
    await testDb().sql(
      'update workflows set published_version_id = $1 where id = $2',
      [versionId, workflowId],
      cellId,
    );
    return id;
  }

  /** The tables of this cell and of control. */
  async function tablesOf(cellId: string): Promise<readonly string[]> {
    const inReach = (await tenantTables()).filter(({ schema }) => schema === 'control' || schema === cellId);
    return [...inReach.map(({ schema, name }) => `${schema}.${name}`), 'control.workspaces'].toSorted();
  }

  const dutyOf = (module: TestingModule) => module.get(WorkspacePurgeDuty, { strict: false });

  it.each(CELLS)('leaves nothing of it in %s and in control, and everything of another', async (cellId) => {
    const gone = await aFullWorkspace(cellId, { isDeleted: true });
    const stays = await aFullWorkspace(cellId, { isDeleted: false });
    const before = await rowsOf(stays);
    // A table that is added without a row here has a purge that nobody has looked at.
    expect(Object.keys(await rowsOf(gone)).toSorted()).toEqual(await tablesOf(cellId));
    const duty = dutyOf(await process());
    let rounds = 0;
    while ((await duty.runOnce(never)).again) rounds += 1;
    expect(await rowsOf(gone)).toEqual({});
    expect(await rowsOf(stays)).toEqual(before);
    expect(rounds).toBeGreaterThan(1);
  });

  it('is taken up by another process wherever one has stopped', async () => {
    const gone = await aFullWorkspace('cell_2', { isDeleted: true });
    let sizes = [await total(gone)];
    // Each round is of a process that has never seen the workspace, and ends after the first batches.
    for (let again = true; again;) {
      ({ again = false } = await dutyOf(await process()).runOnce(never));
      sizes = [...sizes, await total(gone)];
    }
    expect(sizes.at(-1)).toBe(0);
    expect(sizes.toSorted((a, b) => b - a)).toEqual(sizes);
    expect(sizes.length).toBeGreaterThan(5);
  });

  it('is done once by processes that do it at the same time', async () => {
    const gone = [
      await aFullWorkspace('cell_1', { isDeleted: true }), await aFullWorkspace('cell_2', { isDeleted: true }),
    ]; // prettier-ignore
    const stays = await aFullWorkspace('cell_1', { isDeleted: false });
    const before = await rowsOf(stays);
    const duties = [dutyOf(await process()), dutyOf(await process()), dutyOf(await process())];
    const go = barrier(duties.length);
    await Promise.all(
      duties.map(async (duty) => {
        await go();
        while ((await duty.runOnce(never)).again);
      }),
    );
    // Whoever saw the last rows in the hands of another has left the end to the next round.
    await duties[0]?.runOnce(never);
    for (const id of gone) expect(await rowsOf(id)).toEqual({});
    expect(await rowsOf(stays)).toEqual(before);
  });
});
