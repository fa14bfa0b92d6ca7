import type { Db } from '#platform';
import { CollectingLogger, PinnedClock, type TestDb } from '#platform/testing';
import { accessTo, aMember, catalogRooms } from '../../../catalog/testing/catalog-rooms';
import type { Caller } from '../../../catalog/workflows.service';
import type { JsonObject } from '../../../definition/json';
import { Engine } from '../../../engine/engine';
import { Gates } from '../../../engine/gates';
import { MissingRuns } from '../../../history/missing-runs.service';
import { Runs } from '../../../runs/runs.service';
import { PlannedLimits } from '../../../testing';
import { CountedAdmission } from '../../../testing/control-rooms';
import { Scheduler } from '../scheduler';
import { Schedules } from '../schedules.service';

/** What became of an occurrence, for comparing. */
export interface FireOf {
  readonly due: string;
  readonly outcome: string;
  readonly reason: string | null;
}

/** A schedule that was published. */
export interface TestSchedule {
  readonly caller: Caller;
  readonly workflowId: string;
  readonly id: string;
}

/**
 * The rooms in which schedules are published, fired and steered, as one process has them. Its pinned clock stands for the
 * database's time.
 */
export function scheduleRooms(testDb: TestDb, db: Db = testDb.db, admission = new CountedAdmission()) {
  const catalog = catalogRooms(db);
  const { clock, ids, hints, published, deletions, book, audit } = catalog;
  const logger = new CollectingLogger();
  const limits = new PlannedLimits();
  const gates = new Gates(db, clock, logger, limits, hints);
  const engine = new Engine(db, clock, ids, logger, admission, gates);
  const runs = new Runs(db, engine, published, new MissingRuns(limits, clock), clock);
  const scheduler = new Scheduler(
    { db, clock, logger, engine, runs, published, workspaces: deletions, book },
    'cell_1',
  );
  const schedules = new Schedules(db, clock, engine, runs, book, audit);
  return { ...catalog, admission, engine, runs, scheduler, schedules, logger, limits };
}

export type ScheduleRooms = ReturnType<typeof scheduleRooms>;

/** Schedules and their fires, arranged and looked at through the tables. */
export class ScheduleTables {
  constructor(
    private readonly testDb: () => TestDb,
    private readonly rooms: () => ScheduleRooms,
  ) {}

  /** Publishes a workflow with one schedule. */
  async publish(params: JsonObject, caller?: Caller): Promise<TestSchedule> {
    const member = caller ?? (await this.member());
    const { workflows, publishing } = this.rooms();
    const workflow = await workflows.create(
      member,
      { name: `W ${this.rooms().ids.next()}`, definition: scheduled(params) },
      null,
    );
    await publishing.publish(member, workflow.id, 'any');
    const [row] = await this.testDb().sql<{ id: string }>(
      'select id from workflow_schedules where workflow_id = $1',
      [workflow.id],
    );
    return { caller: member, workflowId: workflow.id, id: row?.id ?? '' };
  }

  /** Saves and publishes another definition of its workflow. */
  async change({ caller, workflowId }: TestSchedule, definition: JsonObject): Promise<void> {
    const { workflows, publishing } = this.rooms();
    await workflows.saveDraft(caller.access, workflowId, { definition, expected: 'any' });
    await publishing.publish(caller, workflowId, 'any');
  }

  async member(): Promise<Caller> {
    const member = await aMember(this.testDb());
    return { ...member, access: accessTo(member.access.workspaceId, ['hook:read', 'workflow:publish']) };
  }

  /** What became of its occurrences, the first due first. */
  async fires({ id }: TestSchedule): Promise<readonly FireOf[]> {
    const rows = await this.testDb().sql<{ due_at: Date; outcome: string; reason: string | null }>(
      'select due_at, outcome, reason from schedule_fires where schedule_id = $1 order by due_at',
      [id],
    );
    return rows.map(({ due_at, outcome, reason }) => ({ due: due_at.toISOString(), outcome, reason }));
  }

  /** As `started 12:00`, for comparing at a glance. */
  async outcomes(schedule: TestSchedule): Promise<readonly string[]> {
    return (await this.fires(schedule)).map(({ due, outcome }) => `${outcome} ${due.slice(11, 16)}`);
  }

  /** The runs of its workflow, the first first. */
  async runs({ workflowId }: TestSchedule) {
    return this.testDb().sql<{ id: string; input: JsonObject; started_by: string; outcome: string | null }>(
      'select id, input, started_by, outcome from workflow_runs where workflow_id = $1 order by id',
      [workflowId],
    );
  }

  /** Ends every live run of its workflow. */
  async end({ workflowId }: TestSchedule, outcome: 'succeeded' | 'failed'): Promise<void> {
    await this.testDb().sql(
      `with gone as (delete from run_queue where workflow_id = $1 returning run_id)
       update workflow_runs set outcome = $2, started_at = created_at, finished_at = created_at, output = 'null',
              error = case when $2 = 'failed' then '{"code":"x","message":"x"}'::json end
        where id in (select run_id from gone)`,
      [workflowId, outcome],
    );
  }

  /** Fires until nothing is due. */
  async settle(): Promise<void> {
    while ((await this.rooms().scheduler.fireDue()).schedules > 0);
  }
}

/** A definition with one schedule, at the node `when`. */
export function scheduled(params: JsonObject): JsonObject {
  return {
    nodes: [
      { id: 'when', type: 'trigger.schedule', params },
      { id: 'note', type: 'set', params: { values: { at: '{{ trigger.dueAt }}' } } },
    ],
    edges: [{ from: 'when', to: 'note' }],
  };
}

/** A clock at an instant, whose ticks stand for the database's. */
export function at(clock: PinnedClock, instant: string): void {
  clock.advance(new Date(instant).getTime() - clock.now().getTime());
}
