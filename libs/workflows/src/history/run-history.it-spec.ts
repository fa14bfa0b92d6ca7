import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { decodeCursor } from '#platform';
import { PinnedClock, useTestDb } from '#platform/testing';
import { partitionKeeper } from '../retention/partition-keeper';
import { leastId } from '../retention/periods';
import { runsCursor, type RunSummary } from '../runs/runs.dto';
import { runStatuses } from '../runs/run-state';
import { aPublishedWorkflow } from '../testing';
import { EXAMINED, inOrder, listRunsBy } from './list-runs.sql';
import type { RunFilter } from './run-filter';
import { RunHistory } from './run-history.service';

const HOUR = 3_600_000;
const NOTHING: RunFilter = {
  workflowId: null, statuses: null, triggerKind: null, from: null, to: null, errorCode: null, label: null,
}; // prettier-ignore

describe('the history of runs', () => {
  const testDb = useTestDb();
  const clock = new PinnedClock('2026-11-20T00:00:00Z');
  const start = new Date(clock.now().getTime() - 300 * HOUR);
  let history: RunHistory;
  let workspaceId: string;
  let workflows: readonly string[];

  beforeAll(async () => {
    history = new RunHistory(testDb().db, clock);
    for (const at of [start, clock.now()]) {
      const keeper = { db: testDb().db, clock: new PinnedClock(at), classes: () => [7, 30] };
      await partitionKeeper(keeper, 'cell_1').runOnce(new AbortController().signal);
    }
    const definition = { nodes: [{ id: 'start', type: 'trigger.manual' }], edges: [] };
    const first = await aPublishedWorkflow(testDb(), definition);
    ({ workspaceId } = first);
    const second = await aPublishedWorkflow(testDb(), definition, { workspaceId });
    const foreign = await aPublishedWorkflow(testDb(), definition);
    workflows = [first.workflowId, second.workflowId];
    for (const { workspaceId: home, workflowId, versionId } of [first, second, foreign]) {
      // One run an hour; every seventh of them lives, in one of the four states a live run can be in.
      await testDb().sql(
        `insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input,
                                    outcome, error, created_at, finished_at, retention_days, labels)
         select (lpad(to_hex($4::bigint + n * 3600000), 12, '0') || '70008' || left(md5($2::uuid::text || n), 15))::uuid, $1::uuid,
                $2::uuid, $3::uuid, 'start', case when n % 5 = 0 then 'trigger.webhook' else 'trigger.manual' end, 'user:test',
                '{}', o.outcome,
                case o.outcome when 'failed' then json_build_object('code', 'node.' || n % 3, 'message', 'x')
                               when 'canceled' then '{"code":"run.canceled","message":"x"}' end,
                to_timestamp(($4::bigint + n * 3600000) / 1000.0),
                case when o.outcome is not null then to_timestamp(($4::bigint + n * 3600000) / 1000.0) end,
                case when n % 2 = 0 then 30 else 7 end,
                case when n % 4 = 0 then json_build_object('customer', 'c:' || n % 8, 'tier', 'gold') end
           from generate_series(0, 299) n
          cross join lateral (
            select case when n % 7 = 0 then null else (array['succeeded', 'failed', 'canceled'])[1 + n % 3] end) o (outcome)`,
        [home, workflowId, versionId, start.getTime()],
      );
      await testDb().sql(
        `insert into run_queue (run_id, workspace_id, workflow_id, retention_days, state, turn, worker_id, resume_at)
         select id, workspace_id, workflow_id, retention_days, s, 1, case s when 'owned' then $2::uuid end,
                case s when 'parked' then now() end
           from (select *, (array['queued', 'owned', 'parked', 'undecided'])[1 + (row_number() over (order by id)) % 4] as s
                   from workflow_runs where workflow_id = $1 and outcome is null) r`,
        [workflowId, randomUUID()],
      );
      await testDb().sql(
        `insert into dead_letters (run_id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by,
                                   input, error_code, error, created_at, failed_at)
         select id, workspace_id, workflow_id, version_id, 'start', 'trigger.manual', 'user:test', '{}', error ->> 'code',
                error, created_at, finished_at from workflow_runs where workflow_id = $1 and outcome = 'failed'`,
        [workflowId],
      );
      await testDb().sql(
        `insert into workflow_run_labels (workspace_id, label, run_id, retention_days)
         select workspace_id, l.key || ':' || l.value, id, retention_days
           from workflow_runs cross join lateral json_each_text(labels) l where workflow_id = $1`,
        [workflowId],
      );
    }
  });

  /** All pages, each behind the one before. */
  async function all(filter: RunFilter, limit: number): Promise<readonly RunSummary[]> {
    const found: RunSummary[] = [];
    for (let beforeId: string | null = null; ;) {
      const page = await history.list(workspaceId, filter, { limit, beforeId });
      expect(page.data.length).toBeLessThanOrEqual(limit);
      found.push(...page.data);
      if (!page.hasMore) return found;
      beforeId = decodeCursor(page.nextCursor ?? '', runsCursor)?.id ?? null;
    }
  }

  /** The same in plain words, over everything. */
  function matches(run: RunSummary, filter: RunFilter): boolean {
    const [name = '', ...value] = filter.label?.split(':') ?? [];
    return (
      (filter.workflowId === null || run.workflowId === filter.workflowId) &&
      (filter.statuses === null || filter.statuses.includes(run.status)) &&
      (filter.triggerKind === null || run.trigger.type === filter.triggerKind) &&
      (filter.from === null || new Date(run.createdAt) >= filter.from) &&
      (filter.to === null || new Date(run.createdAt) < filter.to) &&
      (filter.errorCode === null || (run.status === 'failed' && run.error?.code === filter.errorCode)) &&
      (filter.label === null || run.labels[name] === value.join(':'))
    );
  }

  it('is listed newest first, of this workspace, as long as runs are kept', async () => {
    const runs = await all(NOTHING, 100);
    const ids = runs.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted().toReversed());
    // Half of them are kept for seven days, and the older ones of that half are past them: 131 hours of every second one.
    const old = (run: RunSummary) => new Date(run.createdAt) < new Date(clock.now().getTime() - 168 * HOUR);
    expect(runs.filter(old).every((run) => run.finishedAt === null || isKept(run))).toBe(true);
    expect(runs.length).toBeGreaterThan(400);
    expect(runs.length).toBeLessThan(600);
    expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(runStatuses));
  });

  const isKept = ({ createdAt }: RunSummary) =>
    ((new Date(createdAt).getTime() - start.getTime()) / HOUR) % 2 === 0;

  it('is narrowed by all that is asked for, in pages of any length, without a run lost or doubled', async () => {
    const everything = await all(NOTHING, 100);
    const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
    const hours = fc.integer({ min: -5, max: 305 }).map((n) => new Date(start.getTime() + n * HOUR));
    const filters = fc.record({
      workflowId: optional(fc.constantFrom(...workflows)),
      statuses: optional(fc.uniqueArray(fc.constantFrom(...runStatuses), { minLength: 1 })),
      triggerKind: optional(fc.constantFrom('trigger.manual', 'trigger.webhook', 'trigger.none')),
      from: optional(hours),
      to: optional(hours),
      errorCode: optional(fc.constantFrom('node.0', 'node.1', 'node.2', 'node.9')),
      label: optional(fc.constantFrom('tier:gold', 'customer:c:4', 'customer:c:5', 'tier:gol')),
    });
    await fc.assert(
      fc.asyncProperty(filters, fc.integer({ min: 1, max: 60 }), async (filter, limit) => {
        const expected = everything.filter((run) => matches(run, filter)).map(({ id }) => id);
        expect((await all(filter, limit)).map(({ id }) => id)).toEqual(expected);
      }),
      { numRuns: 120 },
    );
  }, 60_000);

  // Seen to fail without inOrder: what a workspace has was read whole and sorted, for each page.
  it.each(['workspace', 'workflow', 'label'] as const)(
    'is taken from the partitions by %s in their order, never sorted, however little the planner expects',
    async (source) => {
      await testDb().sql('analyze');
      const plan = await testDb().db.tenant(workspaceId, async (tx) => {
        const { name, text } = listRunsBy[source];
        await tx.query(inOrder);
        await tx.query({ name: `test-prepare-${name}`, text: `prepare "explained ${name}" as ${text}` });
        const rows = await tx.query<[], { 'QUERY PLAN': string }>({
          name: `test-explain-${name}`,
          text: `explain (costs off) execute "explained ${name}"(${Array.from({ length: 10 }, () => 'null').join(', ')})`,
        });
        return rows.map((row) => row['QUERY PLAN']);
      });
      const candidates = plan.slice(
        0,
        plan.findIndex((line) => line.includes('InitPlan')),
      );
      expect(candidates.filter((line) => /^ +->  (Incremental )?Sort/.test(line))).toEqual([]);
    },
  );

  it('goes on behind what a page has examined when it has found little there', async () => {
    const {
      workflowId,
      versionId,
      workspaceId: home,
    } = await aPublishedWorkflow(testDb(), {
      nodes: [{ id: 'start', type: 'trigger.manual' }],
      edges: [],
    });
    const prefix = `${leastId(start).slice(0, 13)}-7000-8000-`;
    const numbered = (n: number) => `${prefix}${String(n).padStart(12, '0')}`;
    await testDb().sql(
      `insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input,
                                  outcome, finished_at, retention_days)
       select ($4 || lpad(n::text, 12, '0'))::uuid, $1, $2, $3, 'start',
              case when n in (7, ${EXAMINED - 1}) then 'trigger.webhook' else 'trigger.manual' end, 'user:test', '{}',
              'succeeded', $5, 30 from generate_series(1, ${2 * EXAMINED}) n`,
      [home, workflowId, versionId, prefix, clock.now()],
    );
    const wanted = { ...NOTHING, triggerKind: 'trigger.webhook' };
    const page = (beforeId: string | null) => history.list(home, wanted, { limit: 10, beforeId });
    const first = await page(null);
    expect([first.data, first.hasMore]).toEqual([[], true]);
    const behind = decodeCursor(first.nextCursor ?? '', runsCursor)?.id ?? null;
    expect(behind).toBe(numbered(EXAMINED + 1));
    const second = await page(behind);
    expect(second.data.map(({ id }) => id)).toEqual([numbered(EXAMINED - 1), numbered(7)]);
    // It has examined its share to the very last run, so it cannot know that there are no more.
    expect(second.hasMore).toBe(true);
    const third = await page(decodeCursor(second.nextCursor ?? '', runsCursor)?.id ?? null);
    expect([third.data, third.hasMore]).toEqual([[], false]);
  });
});
