import push from './fixtures/github-push.json';
import { type Account, signUp } from './support/account';
import { type ApiClient, expectStatus } from './support/api-client';
import { EventReader } from './support/event-stream';
import { freePort } from './support/free-port';
import { useInstallation } from './support/installation';
import { mainJob } from './support/main-job';
import { Sink } from './support/sink';
import { eventsOf, nodeRunsOf, publish, type Published, runInStatus } from './support/workflows';
import type { Json } from './support/json';

jest.setTimeout(60_000);

/**
 * What customers come for, over HTTP and in one go: somebody signs up, publishes a workflow, GitHub calls its webhook,
 * and the run calls out, decides, waits and ends, while a dashboard watches.
 */
describe('the main job', () => {
  const installation = useInstallation();
  let server: ApiClient;
  let sink: Sink;
  let ada: Account;
  let workflow: Published;

  beforeAll(async () => {
    sink = await Sink.start();
    // A port of its own, so that the address of the webhook can be called as the server tells it.
    ({ server } = await installation().start({ PORT: String(await freePort()) }));
    ada = await signUp(server);
    workflow = await publish(ada, mainJob(sink));
  });
  afterAll(() => sink?.close());

  /** Calls the webhook as GitHub does. */
  function pushed(body: unknown): Promise<Response> {
    if (workflow.hookUrl === null) throw new Error('The workflow has no webhook.');
    return fetch(workflow.hookUrl, { method: 'POST', headers: push.headers, body: JSON.stringify(body) });
  }

  it('gives everyone who signs up a workspace of their own', async () => {
    const me = expectStatus(await ada.api.get('/v1/me'), 200);
    expect(me).toMatchObject({
      kind: 'user',
      user: { id: ada.userId, emailVerified: false },
      workspaces: [{ id: ada.workspaceId, role: 'owner' }],
    });
    expect(expectStatus(await ada.api.get(ada.home), 200)).toMatchObject({ id: ada.workspaceId });
  });

  it('takes a push of GitHub through a call, a decision and a wait to its end, in front of a reader', async () => {
    sink.hold('/tickets');
    sink.respond('/tickets', () => ({ ticket: 'T-1' }));
    const answer = await pushed(push.body);
    expect(answer.status).toBe(202);
    const { runId } = (await answer.json()) as { runId: string };
    const stream = await EventReader.open(ada.api, `${ada.home}/runs/${runId}/stream`);

    // The call has begun, its answer is kept back: the run runs, and the reader has seen so much and no more.
    await stream.received('node.started');
    const call = await sink.called('/tickets');
    expect(call).toMatchObject({
      method: 'POST',
      headers: { 'idempotency-key': `${runId}:ticket`, 'content-type': 'application/json' },
      body: { repository: push.body.repository.full_name, commit: push.body.after, commits: 2 },
    });
    expect(await runInStatus(ada, runId, 'running')).toMatchObject({ finishedAt: null, output: null });
    sink.release('/tickets');

    const parked = await stream.received('run.waiting');
    const waiting = await runInStatus(ada, runId, 'waiting');
    expect(waiting.resumeAt).toBe(parked.data.resumeAt);
    expect(stream.events.map(({ event }) => event)).not.toContain('run.resumed');
    expect((await nodeRunsOf(ada, runId))['pause']).toMatchObject({ status: 'waiting', finishedAt: null });

    await stream.ended;
    const run = await runInStatus(ada, runId, 'succeeded');
    const summary = { title: 'lowland-orchards/harvest-planner: 2 commits by mirela-k', ticket: 'T-1' };
    expect(run).toMatchObject({
      status: 'succeeded',
      version: 1,
      trigger: { nodeId: 'github', type: 'trigger.webhook' },
      startedBy: expect.stringMatching(/^hook:/),
      error: null,
      resumeAt: null,
      output: { summary },
    });
    expect(Date.parse(run.finishedAt)).toBeGreaterThanOrEqual(Date.parse(parked.data.resumeAt));
    expect(run.input).toMatchObject({
      bodyKind: 'json',
      body: push.body,
      headers: { 'x-github-event': 'push', 'user-agent': push.headers['User-Agent'] },
    });
    expect(sink.callsOf('/tickets')).toHaveLength(1);

    const nodes = await nodeRunsOf(ada, runId);
    expect(Object.fromEntries(Object.entries(nodes).map(([id, { status }]) => [id, status]))).toEqual({
      github: 'succeeded',
      ticket: 'succeeded',
      on_main: 'succeeded',
      pause: 'succeeded',
      summary: 'succeeded',
      ignored: 'skipped',
    });
    expect(nodes['ticket']).toMatchObject({
      attempts: 1,
      output: { status: 200, body: { ticket: 'T-1' }, bodyKind: 'json' },
    });
    expect(nodes['on_main']).toMatchObject({ output: true, ports: ['true'] });
    expect(nodes['summary']).toMatchObject({ output: summary });

    const events = await eventsOf(ada, runId);
    expect(events.map(({ type, nodeId }) => [type, nodeId].filter(Boolean).join(' '))).toEqual([
      'run.created',
      'run.started',
      'node.succeeded github',
      'node.started ticket',
      'node.succeeded ticket',
      'node.succeeded on_main',
      'node.skipped ignored',
      'node.waiting pause',
      'run.waiting',
      'run.resumed',
      'node.succeeded pause',
      'node.succeeded summary',
      'run.succeeded',
    ]);
    expect(stream.events.map(({ data }) => data)).toEqual(events);
    expect(stream.events.map(({ id, event }) => ({ id, event }))).toEqual(
      events.map(({ seq, type }) => ({ id: String(seq), event: type })),
    );
    await goesOnFromEach(runId, events);
  });

  /** A reader that lost its connection gets exactly the rest, from wherever it was. */
  async function goesOnFromEach(runId: string, events: readonly Json[]): Promise<void> {
    for (const last of [0, 1, Math.floor(events.length / 2), events.length - 1]) {
      const again = await EventReader.open(ada.api, `${ada.home}/runs/${runId}/stream`, String(last));
      await again.ended;
      expect(again.events.map(({ data }) => data)).toEqual(events.slice(last));
    }
  }

  it('goes the other way for a push to another branch, without a wait', async () => {
    const answer = await pushed({ ...push.body, ref: 'refs/heads/experiment' });
    const { runId } = (await answer.json()) as { runId: string };
    expect(await runInStatus(ada, runId, 'succeeded')).toMatchObject({ output: { ignored: {} } });
    expect(await nodeRunsOf(ada, runId)).toMatchObject({
      on_main: { output: false, ports: ['false'] },
      pause: { status: 'skipped' },
      summary: { status: 'skipped' },
    });
  });

  it('fails a run that calls what answers with nothing it can use, and says why', async () => {
    sink.respond('/tickets', () => ({ unexpected: true }));
    const answer = await pushed(push.body);
    const { runId } = (await answer.json()) as { runId: string };
    expect(await runInStatus(ada, runId, 'failed')).toMatchObject({
      output: null,
      error: { code: 'node.expression_undefined', nodeId: 'summary' },
    });
    const events = await eventsOf(ada, runId);
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', error: { code: 'node.expression_undefined' } });
  });

  it('refuses a webhook address of which one character is wrong', async () => {
    const { hookUrl } = workflow;
    const wrong = hookUrl?.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) ?? '';
    const answer = await fetch(wrong, {
      method: 'POST',
      headers: push.headers,
      body: JSON.stringify(push.body),
    });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'hook.not_found' });
  });
});
