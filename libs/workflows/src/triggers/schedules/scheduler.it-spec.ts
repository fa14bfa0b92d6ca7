import { barrier, useTestDb } from '#platform/testing';
import { catalogEntities } from '../../catalog/catalog-entities';
import { at, scheduled, scheduleRooms, type ScheduleRooms, ScheduleTables } from './testing/schedule-rooms';

jest.setTimeout(60_000);

describe('the scheduler', () => {
  const testDb = useTestDb({ entities: [...catalogEntities], poolSize: 10 });
  let rooms: ScheduleRooms;
  const tables = new ScheduleTables(testDb, () => rooms);
  beforeEach(() => {
    rooms = scheduleRooms(testDb());
    at(rooms.clock, '2026-03-02T12:30:00Z');
  });
  afterEach(async () => {
    await testDb().sql('update workflow_schedules set due_at = null, fire_at = null, waiting_due_at = null');
  });
  const to = (instant: string) => at(rooms.clock, instant);
  const fireAt = async (instant: string) => {
    to(instant);
    await tables.settle();
  };

  it('starts a run at each occurrence, with its row and its event, and not before', async () => {
    const schedule = await tables.publish({ cron: '0 * * * *', timezone: 'Europe/Berlin' });
    await fireAt('2026-03-02T12:59:59.999Z');
    expect(await tables.fires(schedule)).toEqual([]);
    await fireAt('2026-03-02T13:00:00Z');
    await fireAt('2026-03-02T14:00:01Z');
    expect(await tables.outcomes(schedule)).toEqual(['started 13:00', 'started 14:00']);
    const runs = await tables.runs(schedule);
    expect(runs).toMatchObject([
      {
        started_by: `schedule:${schedule.id}`,
        input: {
          scheduleId: schedule.id,
          dueAt: '2026-03-02T13:00:00.000Z',
          localTime: expect.stringContaining('2026-03-02T14:00:00'),
          timezone: 'Europe/Berlin',
          late: false,
          manual: false,
          previousDueAt: null,
        },
      },
      { input: { dueAt: '2026-03-02T14:00:00.000Z', previousDueAt: '2026-03-02T13:00:00.000Z' } },
    ]);
  });

  it('goes by the clocks of its zone across their change, where an interval in UTC would drift', async () => {
    to('2026-03-27T12:00:00Z');
    const schedule = await tables.publish({ cron: '0 9 * * *', timezone: 'Europe/Berlin' });
    for (const day of ['28', '29', '30']) await fireAt(`2026-03-${day}T12:00:00Z`);
    expect((await tables.runs(schedule)).map(({ input }) => input['localTime'])).toEqual([
      expect.stringContaining('T09:00:00'),
      expect.stringContaining('T09:00:00'),
      expect.stringContaining('T09:00:00'),
    ]);
  });

  // Seen to fail (up to four runs of one occurrence) without the lock of the schedule's row and with the row's key dropped.
  it('fires each occurrence once, however many schedulers look at the same time', async () => {
    const schedules = await Promise.all(
      Array.from({ length: 25 }, () => tables.publish({ cron: '*/5 * * * *' })),
    );
    const others = await Promise.all(
      Array.from({ length: 3 }, async () => scheduleRooms(testDb(), await testDb().connectAgain())),
    );
    const processes = [rooms, ...others];
    for (let minute = 35; minute < 60; minute += 5) {
      for (const { clock } of processes) at(clock, `2026-03-02T12:${minute}:00Z`);
      const together = barrier(processes.length);
      await Promise.all(
        processes.map(async ({ scheduler }) => {
          await together();
          while ((await scheduler.fireDue()).schedules > 0);
        }),
      );
      await tables.settle();
    }
    for (const schedule of schedules) {
      expect(await tables.runs(schedule)).toHaveLength(5);
      expect(await tables.outcomes(schedule)).toEqual([35, 40, 45, 50, 55].map((m) => `started 12:${m}`));
    }
  });

  // Seen to fail (a run without its row, and a second one later) with starts in transactions of their own.
  it.each([
    ['the run', 'run_queue', 'run_id is null'],
    ['the row', 'schedule_fires', 'due_at is null'],
    ['the next occurrence', 'workflow_schedules', `due_at < '2026-03-02T13:30Z'`],
  ])('has done nothing when the transaction ends at %s', async (_what, table, impossible) => {
    const schedule = await tables.publish({ cron: '0 * * * *' });
    to('2026-03-02T13:00:00Z');
    await testDb().sql(`alter table ${table} add constraint broken check (${impossible}) not valid`);
    await rooms.scheduler.fireDue();
    expect(await tables.fires(schedule)).toEqual([]);
    expect(await tables.runs(schedule)).toEqual([]);
    await testDb().sql(`alter table ${table} drop constraint broken`);
    await fireAt('2026-03-02T13:01:00Z');
    expect(await tables.outcomes(schedule)).toEqual(['started 13:00']);
    expect(await tables.runs(schedule)).toHaveLength(1);
  });

  it('lets one schedule that cannot be fired hold up no other', async () => {
    const [good, bad, also] = [
      await tables.publish({ cron: '0 * * * *' }),
      await tables.publish({ cron: '0 * * * *' }),
      await tables.publish({ cron: '0 * * * *' }),
    ];
    await testDb().sql(`update workflow_schedules set params = '{"cron":"broken"}' where id = $1`, [bad.id]);
    await fireAt('2026-03-02T13:00:00Z');
    expect(await tables.outcomes(good)).toEqual(['started 13:00']);
    expect(await tables.outcomes(also)).toEqual(['started 13:00']);
    expect(await tables.outcomes(bad)).toEqual([]);
    expect(rooms.logger.lines.some(({ message }) => message === 'A schedule could not be fired.')).toBe(true);
  });

  // Seen to fail (put off with an error, for good) without the look at what has fired before.
  it('passes over what has fired before, and fires what is due beside it', async () => {
    const params = { cron: '0 * * * *', catchUp: 'all' };
    const [once, again, also] = [
      await tables.publish(params),
      await tables.publish(params),
      await tables.publish(params),
    ];
    await fireAt('2026-03-02T13:00:00Z');
    await testDb().sql(
      `update workflow_schedules set due_at = '2026-03-02T13:00Z', fire_at = '2026-03-02T13:00Z' where id = $1`,
      [again.id],
    );
    await fireAt('2026-03-02T14:00:00Z');
    for (const schedule of [once, again, also]) {
      expect(await tables.outcomes(schedule)).toEqual(['started 13:00', 'started 14:00']);
      expect(await tables.runs(schedule)).toHaveLength(2);
    }
  });

  it('loses nothing beyond a batch: more are due than are taken at a time', async () => {
    const caller = await tables.member();
    const one = await tables.publish({ cron: '0 * * * *' }, caller);
    await testDb().sql(
      `insert into workflow_schedules (id, workspace_id, workflow_id, node_id, version_id, params, due_at, fire_at)
       select gen_random_uuid(), workspace_id, workflow_id, 'when' || n, null, params, null, null
         from workflow_schedules, generate_series(1, 1200) n where id = $1`,
      [one.id],
    );
    await testDb().sql(
      `update workflow_schedules s set version_id = o.version_id, due_at = o.due_at, fire_at = o.fire_at
         from workflow_schedules o where o.id = $1 and s.workflow_id = o.workflow_id`,
      [one.id],
    );
    await fireAt('2026-03-02T13:00:00Z');
    const [{ fired, started } = {}] = await testDb().sql<{ fired: number; started: number }>(
      `select count(*)::integer as fired, count(f.run_id)::integer as started
         from schedule_fires f join workflow_schedules s on s.id = f.schedule_id where s.workflow_id = $1`,
      [one.workflowId],
    );
    // Its copies have no node of their own, so only the first one starts a run; each has its row all the same.
    expect({ fired, started }).toEqual({ fired: 1_201, started: 1 });
  });

  describe('after a downtime', () => {
    it.each([
      ['none', ['missed 13:00']],
      ['last', ['missed 13:00', 'started 18:00']],
      [
        'all',
        [
          'started 13:00',
          'started 14:00',
          'started 15:00',
          'started 16:00',
          'started 17:00',
          'started 18:00',
        ],
      ],
    ])('with the policy %s', async (catchUp, expected) => {
      const schedule = await tables.publish({ cron: '0 * * * *', catchUp });
      await fireAt('2026-03-02T18:20:00Z');
      expect(await tables.outcomes(schedule)).toEqual(expected);
      await fireAt('2026-03-02T19:00:00Z');
      expect(await tables.outcomes(schedule)).toEqual([...expected, 'started 19:00']);
    });

    it('catches up with as many as its author allows, in several transactions', async () => {
      const schedule = await tables.publish({ cron: '* * * * *', catchUp: 'all', catchUpMax: 70 });
      await fireAt('2026-03-02T15:00:00Z');
      const fires = await tables.fires(schedule);
      expect(fires[0]).toMatchObject({ due: '2026-03-02T12:31:00.000Z', outcome: 'missed' });
      expect(fires.filter(({ outcome }) => outcome === 'started')).toHaveLength(70);
      expect(fires.at(-1)).toMatchObject({ due: '2026-03-02T15:00:00.000Z', outcome: 'started' });
    });
  });

  it('neither loses nor doubles an occurrence when the clock jumps, either way', async () => {
    const schedule = await tables.publish({ cron: '*/10 * * * *', catchUp: 'all' });
    for (const instant of ['12:40', '12:05', '12:50', '15:00', '12:51', '13:00', '14:59', '15:00', '15:10']) {
      await fireAt(`2026-03-02T${instant}:00Z`);
    }
    const expected: string[] = [];
    for (let minute = 12 * 60 + 40; minute <= 15 * 60 + 10; minute += 10) {
      expected.push(`started ${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`);
    }
    expect(await tables.outcomes(schedule)).toEqual(expected);
    expect(await tables.runs(schedule)).toHaveLength(expected.length);
  });

  describe('while a run is not over', () => {
    const overlapping = (overlap: string) => tables.publish({ cron: '0 * * * *', overlap });

    it('skips', async () => {
      const schedule = await overlapping('skip');
      await fireAt('2026-03-02T13:00:00Z');
      await fireAt('2026-03-02T14:00:00Z');
      await tables.end(schedule, 'succeeded');
      await fireAt('2026-03-02T15:00:00Z');
      expect(await tables.outcomes(schedule)).toEqual(['started 13:00', 'skipped 14:00', 'started 15:00']);
    });

    it('lets one wait, and starts it when the run is over', async () => {
      const schedule = await overlapping('queue_one');
      for (const hour of ['13', '14', '15']) await fireAt(`2026-03-02T${hour}:00:00Z`);
      expect(await tables.outcomes(schedule)).toEqual(['started 13:00', 'waiting 14:00', 'skipped 15:00']);
      await tables.end(schedule, 'succeeded');
      await fireAt('2026-03-02T15:20:00Z');
      expect(await tables.outcomes(schedule)).toEqual(['started 13:00', 'started 14:00', 'skipped 15:00']);
      const [, second] = await tables.runs(schedule);
      expect(second?.input).toMatchObject({ dueAt: '2026-03-02T14:00:00.000Z', late: true });
    });

    it('cancels the run and takes its place', async () => {
      const schedule = await overlapping('cancel_running');
      await fireAt('2026-03-02T13:00:00Z');
      await fireAt('2026-03-02T14:00:00Z');
      expect(await tables.outcomes(schedule)).toEqual(['started 13:00', 'started 14:00']);
      expect((await tables.runs(schedule)).map(({ outcome }) => outcome)).toEqual(['canceled', null]);
    });
  });

  it('pauses itself after failures in a row, and forgives them when somebody resumes it', async () => {
    const schedule = await tables.publish({ cron: '0 * * * *', autoPauseAfter: 2 });
    const { schedules } = rooms;
    const { workspaceId } = schedule.caller.access;
    for (const hour of ['13', '14', '15']) {
      await fireAt(`2026-03-02T${hour}:00:00Z`);
      await tables.end(schedule, 'failed');
    }
    expect(await tables.outcomes(schedule)).toEqual(['started 13:00', 'started 14:00']);
    expect(await schedules.get(workspaceId, schedule.id)).toMatchObject({
      state: 'paused',
      pause: { by: 'failures', until: null },
      nextDueAt: null,
    });
    await schedules.resume(schedule.caller, schedule.id);
    await fireAt('2026-03-02T16:00:00Z');
    await tables.end(schedule, 'failed');
    await fireAt('2026-03-02T17:00:00Z');
    expect(await tables.outcomes(schedule)).toEqual([13, 14, 16, 17].map((hour) => `started ${hour}:00`));
  });

  it('ends after its last run, its end, or its last date', async () => {
    const counted = await tables.publish({ cron: '0 * * * *', maxRuns: 2 });
    const bounded = await tables.publish({ cron: '0 * * * *', end: '2026-03-02T13:30:00Z' });
    const dated = await tables.publish({ dates: ['2026-03-02T13:15:00Z', '2026-03-01T00:00:00Z'] });
    for (const hour of ['13', '14', '15']) await fireAt(`2026-03-02T${hour}:30:00Z`);
    expect(await tables.outcomes(counted)).toEqual(['started 13:00', 'started 14:00']);
    expect(await tables.outcomes(bounded)).toEqual(['started 13:00']);
    expect(await tables.outcomes(dated)).toEqual(['started 13:15']);
    for (const { caller, id } of [counted, bounded, dated]) {
      expect(await rooms.schedules.get(caller.access.workspaceId, id)).toMatchObject({
        state: 'finished',
        upcoming: [],
      });
    }
  });

  it('fires on later dates that are added to one that is finished', async () => {
    const schedule = await tables.publish({ dates: ['2026-03-02T13:00:00Z'] });
    await fireAt('2026-03-02T13:00:00Z');
    await tables.change(schedule, scheduled({ dates: ['2026-03-02T13:00:00Z', '2026-03-02T14:00:00Z'] }));
    await fireAt('2026-03-02T14:00:00Z');
    expect(await tables.outcomes(schedule)).toEqual(['started 13:00', 'started 14:00']);
  });

  it('keeps what quota refuses, and goes on', async () => {
    const schedule = await tables.publish({ cron: '0 * * * *' });
    rooms.admission.left = 0;
    await fireAt('2026-03-02T13:00:00Z');
    rooms.admission.left = 10;
    await fireAt('2026-03-02T14:00:00Z');
    expect(await tables.fires(schedule)).toEqual([
      { due: '2026-03-02T13:00:00.000Z', outcome: 'refused', reason: 'run.refused' },
      { due: '2026-03-02T14:00:00.000Z', outcome: 'started', reason: null },
    ]);
  });

  it('keeps what an expression of its author makes impossible', async () => {
    const schedule = await tables.publish({ cron: '0 * * * *' });
    await tables.change(schedule, {
      ...scheduled({ cron: '0 * * * *' }),
      settings: { concurrency: { key: '{{ trigger.nothing }}', limit: 1 } },
    });
    await fireAt('2026-03-02T13:00:00Z');
    expect(await tables.fires(schedule)).toEqual([
      { due: '2026-03-02T13:00:00.000Z', outcome: 'failed', reason: 'run.concurrency_key_invalid' },
    ]);
  });

  it('waits with those of a workspace that is deleted, and goes on when it comes back', async () => {
    const schedule = await tables.publish({ cron: '0 * * * *' });
    rooms.deletions.deleted.add(schedule.caller.access.workspaceId);
    await fireAt('2026-03-02T13:00:00Z');
    expect(await tables.outcomes(schedule)).toEqual([]);
    rooms.deletions.deleted.clear();
    await fireAt('2026-03-02T13:20:00Z');
    expect(await tables.outcomes(schedule)).toEqual(['started 13:00']);
  });

  it('begins later by its jitter, which is the same for everybody who asks', async () => {
    const schedule = await tables.publish({ cron: '0 * * * *', jitterSeconds: 3_600 });
    const { nextDueAt, nextFireAt } = await rooms.schedules.get(
      schedule.caller.access.workspaceId,
      schedule.id,
    );
    expect(nextDueAt).toBe('2026-03-02T13:00:00.000Z');
    const fire = new Date(nextFireAt ?? '');
    expect(fire.getTime()).toBeGreaterThan(Date.parse('2026-03-02T13:00:00Z'));
    await fireAt(new Date(fire.getTime() - 1).toISOString());
    expect(await tables.outcomes(schedule)).toEqual([]);
    await fireAt(fire.toISOString());
    expect(await tables.outcomes(schedule)).toEqual(['started 13:00']);
  });
});
