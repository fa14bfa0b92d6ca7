import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { statement } from '#platform';
import { eventually, useTestDb } from '#platform/testing';
import { type Account, signUp } from './support/account';
import { ApiClient, expectStatus } from './support/api-client';
import { postmasterOf, useDataDirs } from './support/data-dir';
import { EventReader } from './support/event-stream';
import { MillraceProcess } from './support/millrace-process';
import { alive, familyOf, processesOn } from './support/processes';
import { Sink } from './support/sink';
import { chain, eventsOf, publish, runInStatus, startRun } from './support/workflows';

jest.setTimeout(90_000);

describe('a process with its embedded PostgreSQL', () => {
  const newDataDir = useDataDirs();
  let dataDir: string;
  let running: MillraceProcess;

  beforeAll(async () => {
    dataDir = newDataDir();
    running = await MillraceProcess.start({ DATA_DIR: dataDir });
  });
  afterAll(() => running?.stop());

  /** A start that is meant to go wrong: one line on stderr, and exit code 1. */
  async function refusal(environment: Record<string, string>): Promise<string> {
    const refused = MillraceProcess.spawn(environment);
    expect(await refused.ended).toEqual({ code: 1, signal: null });
    expect(refused.errorOutput).not.toContain('    at ');
    return refused.errorOutput.trimEnd();
  }

  it('keeps a second one off its data folder, which says so in one sentence', async () => {
    expect(await refusal({ DATA_DIR: dataDir })).toBe(
      `The data folder ${dataDir} is in use by another Millrace (process ${running.pid}).`,
    );
    expect((await new ApiClient(running.url).get('/health/ready')).status).toBe(200);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('leaves nothing behind on %s, and exits with 0', async (signal) => {
    const family = familyOf(running.pid);
    expect(family).toContain(postmasterOf(dataDir));
    expect(await running.kill(signal)).toEqual({ code: 0, signal: null });
    expect(alive(family)).toEqual([]);
    expect(processesOn(dataDir)).toEqual([]);
    expect(running.errorOutput).toBe('');
    running = await MillraceProcess.start({ DATA_DIR: dataDir });
  });

  it('says in one sentence that its port is taken, and leaves no PostgreSQL behind', async () => {
    await running.stop();
    const stranger = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => {
      stranger.once('listening', resolve);
    });
    const { port } = stranger.address() as AddressInfo;
    try {
      expect(await refusal({ DATA_DIR: dataDir, PORT: String(port) })).toBe(
        `Port ${port} is taken by another program. Stop it, or choose another port: PORT=3001 npm start`,
      );
      expect(processesOn(dataDir)).toEqual([]);
    } finally {
      await new Promise((resolve) => {
        stranger.close(resolve);
      });
    }
  });

  it('names every variable that is wrong, before it starts anything', async () => {
    const unused = `${dataDir}-unused`;
    const said = await refusal({
      DATA_DIR: unused,
      PORT: 'abc',
      WORKER_LEASE_SECONDS: '1',
      SECRET_KEY: 'c2VjcmV0',
    });
    expect(said.split('\n')).toEqual([
      'Wrong configuration:',
      '  PORT is "abc": must be a whole number',
      expect.stringMatching(/^ {2}SECRET_KEY has a wrong value: must be 32 bytes/),
      expect.stringMatching(/^ {2}WORKER_LEASE_SECONDS is "1": /),
    ]);
    expect(said).not.toContain('c2VjcmV0');
    expect(processesOn(unused)).toEqual([]);
  });

  const moments: readonly (readonly [
    string,
    (starting: MillraceProcess, folder: string) => Promise<unknown>,
  ])[] = [
    ['makes its cluster', (starting) => starting.printed(/Making a new PostgreSQL/)],
    ['has just started its server', (_starting, folder) => serverIn(folder)],
  ];
  it.each(moments)('leaves nothing behind when SIGTERM comes while it %s', async (_when, moment) => {
    const fresh = newDataDir();
    const starting = MillraceProcess.spawn({ DATA_DIR: fresh });
    await moment(starting, fresh);
    expect(await starting.kill('SIGTERM')).toEqual({ code: 1, signal: null });
    expect(starting.errorOutput).toMatch(
      /^(The start of the .* was interrupted|Stopped before .* complete)\.\n$/,
    );
    expect(starting.output).not.toContain('Millrace is running');
    expect(processesOn(fresh)).toEqual([]);
  });

  it('leaves nothing behind when SIGTERM comes just as the application is put together or begins to listen', async () => {
    const fresh = newDataDir();
    const starting = MillraceProcess.spawn({ DATA_DIR: fresh });
    await starting.printed(/SMTP_URL is not set/);
    const { code, signal } = await starting.kill('SIGTERM');
    // Whichever is first: a start that is interrupted says so, an application that listens already drains.
    const interrupted = { code: 1, signal: null, said: 'Stopped before the start was complete.\n' };
    const drained = { code: 0, signal: null, said: '' };
    expect([interrupted, drained]).toContainEqual({ code, signal, said: starting.errorOutput });
    expect(processesOn(fresh)).toEqual([]);
  });

  function serverIn(folder: string): Promise<void> {
    return eventually(() => expect(postmasterOf(folder)).not.toBeNull(), { timeoutMs: 30_000 });
  }
});

/** What migrating processes of one database take turns by (`Migrator`). */
const takeMigrationLock = statement<[], unknown>(
  'test-migration-lock',
  'select pg_advisory_xact_lock(28018)',
);

describe('a start that is interrupted behind the start of its database', () => {
  const testDb = useTestDb();

  it('goes no further, says so in one sentence and exits with 1', async () => {
    const starting = await testDb().db.control(async (tx) => {
      await tx.query(takeMigrationLock);
      const waiting = MillraceProcess.spawn({
        DATABASE_URL: testDb().url,
        SECRET_KEY: randomBytes(32).toString('base64'),
      });
      await eventually(
        async () =>
          expect(
            // Of this database and for this lock alone: other tests wait for locks of their own.
            await testDb().sql(
              `select from pg_locks where locktype = 'advisory' and not granted and objid = 28018
                  and database = (select oid from pg_database where datname = current_database())`,
            ),
          ).toHaveLength(1),
        { timeoutMs: 30_000 },
      );
      process.kill(waiting.pid, 'SIGTERM');
      return waiting;
    });
    // The lock is free now: only the signal keeps the process from listening.
    expect(await starting.ended).toEqual({ code: 1, signal: null });
    expect(starting.errorOutput).toBe('Stopped before the start was complete.\n');
    expect(starting.output).not.toContain('Millrace is running');
    expect(await testDb().sql('select id from engine_workers')).toEqual([]);
  });
});

describe('two processes on one database, one for the API and one for the work', () => {
  const testDb = useTestDb();
  let api: MillraceProcess;
  let worker: MillraceProcess;
  let sink: Sink;
  let ada: Account;

  beforeAll(async () => {
    sink = await Sink.start();
    const shared = {
      DATABASE_URL: testDb().url,
      SECRET_KEY: randomBytes(32).toString('base64'),
      EGRESS_ALLOW_PRIVATE: '127.0.0.0/8',
      WORKER_LEASE_SECONDS: '2',
    };
    [api, worker] = await Promise.all([
      MillraceProcess.start({ ...shared, ROLES: 'api' }),
      MillraceProcess.start({ ...shared, ROLES: 'worker,scheduler' }),
    ]);
    testDb().beforeClose(async () => {
      await Promise.all([api.stop(), worker.stop()]);
      await sink.close();
    });
    ada = await signUp(new ApiClient(api.url));
  });

  const calls = () => ({
    nodes: [
      { id: 'begin', type: 'trigger.manual' },
      {
        id: 'call',
        type: 'http.request',
        params: { method: 'POST', url: sink.url('/work'), body: { json: {} } },
      },
      { id: 'end', type: 'set', params: { values: { done: true } } },
    ],
    edges: chain('begin', 'call', 'end'),
  });

  it('run what is started here over there, and tell its reader here', async () => {
    sink.hold('/work');
    const runId = await startRun(ada, await publish(ada, calls()));
    const stream = await EventReader.open(ada.api, `${ada.home}/runs/${runId}/stream`);
    await sink.called('/work');
    await stream.received('node.started');
    expect(stream.events.map(({ data }) => `${data.type} ${data.nodeId}`)).not.toContain(
      'node.succeeded call',
    );
    const releasedAt = performance.now();
    sink.release('/work');
    await stream.ended;
    // A reader that was not told would look by itself every five seconds only.
    expect(performance.now() - releasedAt).toBeLessThan(4_000);
    expect(stream.events.map(({ data }) => data)).toEqual(await eventsOf(ada, runId));
    await runInStatus(ada, runId, 'succeeded');
  });

  it('cancel here what runs there: its call is aborted', async () => {
    sink.calls.length = 0;
    sink.hold('/work');
    const runId = await startRun(ada, await publish(ada, calls()));
    const call = await sink.called('/work');
    expectStatus(await ada.api.post(`${ada.home}/runs/${runId}/cancel`), 200);
    const run = await runInStatus(ada, runId, 'canceled');
    expect(run).toMatchObject({ error: { code: 'run.canceled' }, output: null });
    // The answer is still kept back, so it was the worker who hung up.
    expect(call.aborted).toBe(true);
    const events = await eventsOf(ada, runId);
    expect(events.slice(-2).map(({ type }) => type)).toEqual(['node.canceled', 'run.canceled']);
    sink.release('/work');
  });

  // Seen to fail without the listener of `BreakableClient`: after a round or two a process exits with 1.
  it('outlive their connections to the database, and keep every run they accepted', async () => {
    const workflow = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        { id: 'end', type: 'set', params: { values: {} } },
      ],
      edges: chain('begin', 'end'),
    });
    const accepted: string[] = [];
    const refused = new Set<string>();
    let isOver = false;
    const callers = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const { status, body } = await ada.api.post(`${workflow.path}/runs`);
        if (status === 201) accepted.push(body.id);
        else refused.add(`${status} ${body.code}`);
      }
    });
    const rounds = async () => {
      for (let round = 0; round < 20; round += 1) {
        const before = accepted.length;
        await testDb().sql(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and usename = current_user and application_name <> 'millrace-test'`,
        );
        await eventually(() => expect(accepted.length).toBeGreaterThan(before));
      }
    };
    await Promise.all([rounds().finally(() => (isOver = true)), ...callers]);

    expect([...refused].filter((refusal) => refusal !== '503 request.unavailable')).toEqual([]);
    const unfinished = `select id from workflow_runs where id = any($1) and outcome is distinct from 'succeeded'`;
    await eventually(async () => expect(await testDb().sql(unfinished, [accepted])).toEqual([]), {
      timeoutMs: 30_000,
    });
    const kept = await testDb().sql('select id from workflow_runs where id = any($1)', [accepted]);
    expect(kept).toHaveLength(accepted.length);
  });
});
