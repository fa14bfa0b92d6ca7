import { alive } from './support/processes';
import { type Account, signUp } from './support/account';
import { ApiClient, expectStatus } from './support/api-client';
import { postmasterOf, useDataDirs } from './support/data-dir';
import { MillraceProcess } from './support/millrace-process';
import { Sink } from './support/sink';
import {
  chain,
  eventsOf,
  nodeRunsOf,
  publish,
  type Published,
  runInStatus,
  startRun,
} from './support/workflows';

jest.setTimeout(90_000);

/**
 * `kill -9` in the middle of a run, again and again on one data folder: the embedded PostgreSQL outlives its Millrace,
 * and the next one takes over both the server and the run.
 */
describe('a Millrace that is killed in the middle of a run', () => {
  const newDataDir = useDataDirs();
  let dataDir: string;
  let millrace: MillraceProcess;
  let sink: Sink;
  let ada: Account;
  let workflow: Published;

  beforeAll(async () => {
    sink = await Sink.start();
    dataDir = newDataDir();
    millrace = await start();
    ada = await signUp(new ApiClient(millrace.url));
    workflow = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        post('first'),
        { id: 'pause', type: 'delay', params: { seconds: '{{ trigger.pause }}' } },
        post('second', { answerOfFirst: '{{ nodes.first.body }}' }),
        {
          id: 'end',
          type: 'set',
          params: { values: { numbers: '{{ [nodes.first.body.n, nodes.second.body.n] }}' } },
        },
      ],
      edges: chain('begin', 'first', 'pause', 'second', 'end'),
    });
  });
  afterAll(async () => {
    await millrace?.stop();
    await sink?.close();
  });
  beforeEach(() => {
    sink.calls.length = 0;
    // Each answer is another one, so a repeated call would show in what was recorded.
    let n = 0;
    for (const path of ['/first', '/second']) sink.respond(path, () => ({ n: (n += 1) }));
  });
  afterEach(() => {
    sink.release('/first');
    sink.release('/second');
  });

  function post(id: string, json: unknown = {}) {
    const params = { method: 'POST', url: sink.url(`/${id}`), body: { json } };
    return { id, type: 'http.request', params };
  }

  function start(): Promise<MillraceProcess> {
    return MillraceProcess.start({
      DATA_DIR: dataDir,
      EGRESS_ALLOW_PRIVATE: '127.0.0.0/8',
      WORKER_LEASE_SECONDS: '2',
    });
  }

  /** Kills the process and starts another one, between which nothing but the data folder is left. */
  async function killAndStartAgain(): Promise<void> {
    const postmaster = postmasterOf(dataDir);
    expect(postmaster).not.toBeNull();
    expect(await millrace.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    expect(alive([postmaster ?? 0])).toEqual([postmaster]);
    millrace = await start();
    expect(postmasterOf(dataDir)).toBe(postmaster);
    ada = { ...ada, api: ada.api.at(millrace.url) };
  }

  /** Nodes that have succeeded, as they were recorded. */
  async function completed(runId: string): Promise<Record<string, unknown>> {
    const nodes = Object.entries(await nodeRunsOf(ada, runId));
    return Object.fromEntries(nodes.filter(([, { status }]) => status === 'succeeded'));
  }

  const keysOf = (path: string) => sink.callsOf(path).map(({ headers }) => headers['idempotency-key']);

  // Seen to fail: (a) and (c) stay `running` in a build whose rescuer does nothing (`#rescue` of cell-engine.js
  // returning at once), (b) stays `waiting` in one whose waker does nothing (`#wakeDue`), and all three find the wrong
  // keys when node-runner.js makes a new Idempotency-Key for each attempt.
  it('(a) repeats the call that was interrupted, with the same Idempotency-Key', async () => {
    sink.hold('/first');
    const runId = await startRun(ada, workflow, { pause: 0 });
    await sink.called('/first');
    const before = await completed(runId);
    expect(Object.keys(before)).toEqual(['begin']);

    await killAndStartAgain();
    sink.release('/first');
    expect(await runInStatus(ada, runId, 'succeeded')).toMatchObject({ output: { end: {} } });
    expect(keysOf('/first')).toEqual([`${runId}:first`, `${runId}:first`]);
    expect(keysOf('/second')).toEqual([`${runId}:second`]);
    expect(await completed(runId)).toMatchObject(before);
    await endsInOrder(runId);
  });

  it('(b) wakes a run that was parked, and repeats nothing', async () => {
    const runId = await startRun(ada, workflow, { pause: 1.5 });
    const { resumeAt } = await runInStatus(ada, runId, 'waiting');
    const before = await completed(runId);
    expect(Object.keys(before)).toEqual(['begin', 'first']);

    await killAndStartAgain();
    const run = await runInStatus(ada, runId, 'succeeded');
    expect(run.output).toEqual({ end: { numbers: [1, 2] } });
    expect(Date.parse(run.finishedAt)).toBeGreaterThanOrEqual(Date.parse(resumeAt));
    expect([keysOf('/first'), keysOf('/second')]).toEqual([[`${runId}:first`], [`${runId}:second`]]);
    expect(await completed(runId)).toMatchObject(before);
    await endsInOrder(runId);
  });

  it('(c) repeats the second call and not the first, which was recorded', async () => {
    sink.hold('/second');
    const runId = await startRun(ada, workflow, { pause: 0 });
    await sink.called('/second');
    const before = await completed(runId);
    expect(Object.keys(before)).toEqual(['begin', 'first', 'pause']);

    await killAndStartAgain();
    sink.release('/second');
    await runInStatus(ada, runId, 'succeeded');
    expect(keysOf('/first')).toEqual([`${runId}:first`]);
    expect(keysOf('/second')).toEqual([`${runId}:second`, `${runId}:second`]);
    // Both attempts were given what the first call had answered before the crash.
    expect(sink.callsOf('/second').map(({ body }) => body)).toEqual([
      { answerOfFirst: { n: 1 } },
      { answerOfFirst: { n: 1 } },
    ]);
    expect(await completed(runId)).toMatchObject(before);
    await endsInOrder(runId);
  });

  it('(d) asks what has become of a call that may not be repeated, and goes on with the answer', async () => {
    const charging = await publish(ada, {
      nodes: [
        { id: 'begin', type: 'trigger.manual' },
        { ...post('first', { euros: '{{ trigger.euros }}' }), repeat: 'unsafe' },
        { id: 'end', type: 'set', params: { values: { charge: '{{ nodes.first.id }}' } } },
      ],
      edges: chain('begin', 'first', 'end'),
    });
    sink.hold('/first');
    const runId = await startRun(ada, charging, { euros: 19 });
    await sink.called('/first');

    await killAndStartAgain();
    sink.release('/first');
    await runInStatus(ada, runId, 'needs_decision');
    const { data } = expectStatus(await ada.api.get(`${ada.home}/decisions`), 200);
    expect(data).toMatchObject([
      { runId, nodeId: 'first', evidence: { attempt: 1, request: { body: { json: { euros: 19 } } } } },
    ]);
    const explained = expectStatus(await ada.api.get(`${ada.home}/runs/${runId}/explain`), 200);
    expect(explained.reason).toBe('needs_decision');
    const decision = { nodeId: 'first', attempt: 1, decision: 'skip', value: { id: 'ch_1' } };
    expectStatus(await ada.api.post(`${ada.home}/runs/${runId}/decide`, decision), 200);
    const run = await runInStatus(ada, runId, 'succeeded');
    expect(run.output).toEqual({ end: { charge: 'ch_1' } });
    expect(keysOf('/first')).toEqual([`${runId}:first`]);
    const again = await ada.api.post(`${ada.home}/runs/${runId}/decide`, decision);
    expect(expectStatus(again, 409).code).toBe('run.nothing_to_decide');
  });

  /** The crash leaves no gap in the events and no second end; each node succeeded once. */
  async function endsInOrder(runId: string): Promise<void> {
    const events = await eventsOf(ada, runId);
    const ends = events.filter(({ type }) => type === 'run.succeeded');
    expect([ends.length, events.at(-1).type]).toEqual([1, 'run.succeeded']);
    const succeeded = events.filter(({ type }) => type === 'node.succeeded').map(({ nodeId }) => nodeId);
    expect(succeeded).toEqual(['begin', 'first', 'pause', 'second', 'end']);
    expect(events.map(({ type }) => type)).toContain('run.resumed');
  }
});
