import { randomBytes, randomUUID } from 'node:crypto';
import { Keys, parseConfig } from '#platform';
import { useTestDb } from '#platform/testing';
import type { JsonObject } from '../definition/json';
import { CallbackUrls } from '../engine/callback-urls';
import { builtinKinds } from '../nodes/builtin-kinds';
import { NodeKindRegistry } from '../nodes/registry';
import { chain, heldLeases, startTestEngine, type TestEngine, TestRuns } from '../testing';
import { Callbacks } from './callbacks.service';

jest.setTimeout(30_000);

const KEY = randomBytes(32).toString('base64');

describe('the address of a node that waits', () => {
  const testDb = useTestDb({ leases: heldLeases });
  let worker: TestEngine;
  let urls: CallbackUrls;
  let callbacks: Callbacks;
  const runs = new TestRuns(testDb, () => worker);

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    urls = urlsBy(KEY);
    callbacks = new Callbacks(testDb().db, urls, worker.door, new NodeKindRegistry(builtinKinds()));
    testDb().beforeClose(() => worker.drain());
  });

  function urlsBy(secret: string): CallbackUrls {
    const config = parseConfig({ SECRET_KEY: secret, PUBLIC_URL: 'https://millrace.example' });
    return new CallbackUrls(new Keys(Buffer.from(secret, 'base64')), config);
  }

  async function waiting(params: JsonObject = {}) {
    const { runId, workspaceId } = await runs.start({
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'hear', type: 'wait.callback', params },
        { id: 'heard', type: 'set', params: { values: { what: '{{ nodes.hear }}' } } },
      ],
      edges: chain('start', 'hear', 'heard'),
    });
    await runs.inState(runId, 'parked');
    return { runId, workspaceId, token: urls.tokenOf({ workspaceId, runId, nodeId: 'hear', iteration: '' }) };
  }

  it('lets the run go on with what is sent to it', async () => {
    const { runId, token } = await waiting();
    expect(await callbacks.call(token, { ok: true })).toEqual({ runId });
    expect(await runs.ended(runId)).toMatchObject({ output: { heard: { what: { ok: true } } } });
    await expect(callbacks.call(token, {})).rejects.toMatchObject({ type: { code: 'callback.over' } });
  });

  it('takes only what fits the schema, and goes on waiting', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 1 } }, required: ['n'] };
    const { runId, token } = await waiting({ schema });
    await expect(callbacks.call(token, { n: 0 })).rejects.toMatchObject({
      type: { code: 'callback.invalid_payload' },
      context: { problems: [{ pointer: '/n' }] },
    });
    await runs.inState(runId, 'parked');
    await callbacks.call(token, { n: 1 });
    expect(await runs.ended(runId)).toMatchObject({ output: { heard: { what: { n: 1 } } } });
  });

  it('opens nothing else: not another node, run, workspace or installation, nor in another spelling', async () => {
    const { runId, workspaceId, token } = await waiting();
    const flipped = (at: number) =>
      `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    const others = [
      ...Array.from({ length: token.length }, (_, at) => flipped(at)),
      `${token}A`,
      token.slice(0, -1),
      '',
      'x'.repeat(80),
      urlsBy(randomBytes(32).toString('base64')).tokenOf({
        workspaceId,
        runId,
        nodeId: 'hear',
        iteration: '',
      }),
    ];
    for (const other of others) {
      await expect(callbacks.call(other, {})).rejects.toMatchObject({ type: { code: 'callback.not_found' } });
    }
    for (const address of [
      { workspaceId, runId, nodeId: 'heard', iteration: '' },
      { workspaceId, runId: randomUUID(), nodeId: 'hear', iteration: '' },
    ]) {
      await expect(callbacks.call(urls.tokenOf(address), {})).rejects.toMatchObject({
        type: { code: 'callback.over' },
      });
    }
    await worker.door.cancel(workspaceId, runId);
  });
});
