import { AppError, platformErrors } from '#platform';
import { eventually } from '#platform/testing';
import type { AddressLookup } from './connector';
import {
  aClient,
  anHttpServer,
  aSignal,
  aTcpServer,
  closeLab,
  get,
  LOOPBACK,
  names,
  peersDialledBy,
  told,
} from './testing/client-lab';
import { TestWorkspaces } from './testing/test-workspaces';

afterEach(closeLab);

const lookup = names({
  'api.test': ['127.0.0.1'],
  'other.test': ['127.0.0.1'],
  'mixed.test': ['127.0.0.2', '127.0.0.1'],
});

/** A server that counts, behind names, and a client that resolves them. */
async function aScene(resolve: AddressLookup = lookup) {
  const calls: string[] = [];
  const origin = await anHttpServer((request, response) => {
    calls.push(`${request.headers.host?.split(':')[0]}${request.url}`);
    if (request.url === '/away') response.writeHead(302, { location: `http://other.test:${port}/end` }).end();
    else response.end('ok');
  });
  const port = Number(new URL(origin).port);
  const workspaces = new TestWorkspaces();
  const client = aClient({ ...LOOPBACK, ...workspaces.options, lookup: resolve });
  const call = (host: string, workspaceId = 'ada', path = '/') =>
    get(client, `http://${host}:${port}${path}`, { workspaceId });
  const kept = () =>
    workspaces.blocked.map(({ url, rule, dryRun, context }) =>
      [context.workspaceId, url.host.split(':')[0], rule, ...(dryRun ? ['dry run'] : [])].join(' '),
    );
  return { client, calls, port, workspaces, call, kept };
}

describe('the policy of a workspace', () => {
  it('refuses by name before anything is resolved, and by default', async () => {
    const asked: string[] = [];
    const { workspaces, call, kept, calls } = await aScene(async (host) => {
      asked.push(host);
      return lookup(host);
    });
    workspaces.set('ada', { deny: ['other.test'] });
    workspaces.set('bob', { defaultAction: 'deny', allow: ['api.test'] });
    expect(told(await call('other.test'))).toBe('blocked policy.deny');
    expect(told(await call('other.test', 'bob'))).toBe('blocked policy.default');
    expect([asked, calls]).toEqual([[], []]);
    expect(told(await call('api.test'))).toBe('200 ok');
    expect(told(await call('api.test', 'bob'))).toBe('200 ok');
    expect(kept()).toEqual(['ada other.test policy.deny', 'bob other.test policy.default']);
  });

  it('refuses by the address that a name has, whichever of them it is', async () => {
    const { workspaces, call, kept } = await aScene();
    workspaces.set('ada', { deny: ['127.0.0.2/31'] });
    const peers = await peersDialledBy(async () => {
      expect(told(await call('mixed.test'))).toBe('blocked policy.deny');
    });
    expect(peers).toEqual([]);
    expect(kept()).toEqual(['ada mixed.test policy.deny']);
    expect(told(await call('api.test'))).toBe('200 ok');
  });

  it('allows by addresses where the default denies, if all are allowed', async () => {
    const { workspaces, call } = await aScene();
    workspaces.set('ada', { defaultAction: 'deny', allow: ['127.0.0.1'] });
    expect(told(await call('api.test'))).toBe('200 ok');
    expect(told(await call('mixed.test'))).toBe('blocked policy.default');
  });

  it('is asked again at each redirect', async () => {
    const asked: string[] = [];
    const { workspaces, call, kept, calls } = await aScene(async (host) => {
      asked.push(host);
      return lookup(host);
    });
    workspaces.set('ada', { deny: ['other.test'] });
    expect(told(await call('api.test', 'ada', '/away'))).toBe('blocked policy.deny');
    expect([calls, asked]).toEqual([['api.test/away'], ['api.test']]);
    expect(kept()).toEqual(['ada other.test policy.deny']);
    expect(told(await call('api.test', 'bob', '/away'))).toBe('200 ok');
  });

  it('widens nothing: what the guard refuses stays refused, and never in a dry run', async () => {
    const { workspaces, call, kept, client } = await aScene(
      names({ 'inner.test': ['10.0.0.1'], 'meta.test': ['169.254.169.254'] }),
    );
    const allow = [
      'inner.test',
      'meta.test',
      '10.0.0.0/8',
      '0.0.0.0/0',
      '::/0',
      '169.254.169.254',
      'smtp.test:25',
    ];
    for (const dryRun of [false, true]) {
      workspaces.set('ada', { defaultAction: 'allow', allow, dryRun });
      const peers = await peersDialledBy(async () => {
        expect(told(await call('inner.test'))).toBe('blocked address.private');
        expect(told(await call('meta.test'))).toBe('blocked address.metadata');
        expect(told(await call('10.0.0.1'))).toBe('blocked address.private');
        expect(told(await get(client, 'http://smtp.test:25/', { workspaceId: 'ada' }))).toBe('blocked port');
      });
      expect(peers).toEqual([]);
    }
    expect(kept().filter((line) => line.includes('dry run'))).toEqual([]);
    expect(kept()).toHaveLength(8);
  });
});

describe('a dry run', () => {
  it('lets everything through, and keeps what it would have refused, for each request', async () => {
    const { workspaces, call, kept, calls } = await aScene();
    workspaces.set('ada', { deny: ['other.test'], dryRun: true });
    expect(told(await call('other.test'))).toBe('200 ok');
    expect(told(await call('api.test', 'ada', '/away'))).toBe('200 ok');
    expect(told(await call('api.test'))).toBe('200 ok');
    expect(calls).toHaveLength(4);
    expect(kept()).toEqual(['ada other.test policy.deny dry run', 'ada other.test policy.deny dry run']);
  });

  it('keeps it of addresses as well, also on a connection that was opened before', async () => {
    const { workspaces, call, kept } = await aScene();
    workspaces.set('ada', { deny: ['127.0.0.0/8'], dryRun: true });
    const peers = await peersDialledBy(async () => {
      for (let i = 0; i < 4; i += 1) expect(told(await call('api.test'))).toBe('200 ok');
    });
    expect(peers.length).toBeLessThan(4);
    expect(kept()).toEqual(Array.from({ length: 4 }, () => 'ada api.test policy.deny dry run'));
  });
});

describe('connections that are kept', () => {
  // Seen to fail with one agent for all workspaces: bob was answered over the connection that ada had opened.
  it('are no way around the policy of another workspace', async () => {
    const { workspaces, call, kept } = await aScene();
    workspaces.set('bob', { deny: ['127.0.0.0/8'] });
    for (let i = 0; i < 3; i += 1) {
      expect(told(await call('api.test', 'ada'))).toBe('200 ok');
      expect(told(await call('api.test', 'bob'))).toBe('blocked policy.deny');
    }
    expect(kept()).toEqual(Array.from({ length: 3 }, () => 'bob api.test policy.deny'));
  });

  // Seen to fail with pools that are kept when the revision changes.
  it('are no way around a policy that has been changed since', async () => {
    const { workspaces, call } = await aScene();
    workspaces.set('ada', {});
    for (let i = 0; i < 3; i += 1) expect(told(await call('api.test'))).toBe('200 ok');
    workspaces.set('ada', { deny: ['127.0.0.0/8'] });
    expect(told(await call('api.test'))).toBe('blocked policy.deny');
    workspaces.set('ada', { defaultAction: 'deny', allow: ['127.0.0.0/8'] });
    expect(told(await call('api.test'))).toBe('200 ok');
  });

  it('are closed for the workspace that has called nothing longest, once there are too many', async () => {
    const closed = aSignal<string>();
    // It closes nothing by itself, and asks for connections to be kept for longer than this test may take.
    const port = await aTcpServer((socket) => {
      socket.on('data', (data) => {
        const [, caller] = /x-workspace: (.*)\r/i.exec(data.toString()) ?? [];
        socket.once('close', () => closed.resolve(String(caller)));
        socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=60\r\ncontent-length: 2\r\n\r\nok');
      });
    });
    const origin = `http://127.0.0.1:${port}/`;
    const client = aClient();
    for (let i = 0; i < 1_000; i += 1) await callAs(`w${i}`);
    await callAs('w0');
    await callAs('one more');
    expect(await closed.promise).toBe('w1');

    async function callAs(workspaceId: string): Promise<void> {
      const headers = { 'x-workspace': workspaceId };
      expect(told(await get(client, origin, { workspaceId, headers }))).toBe('200 ok');
    }
  });

  it('end nothing that is under way when the policy changes', async () => {
    const workspaces = new TestWorkspaces();
    workspaces.set('ada', {});
    const client = aClient({ ...LOOPBACK, ...workspaces.options });
    let changed: Promise<unknown> = Promise.resolve();
    const origin = await anHttpServer((request, response) => {
      if (request.url === '/second') return response.end('second');
      workspaces.set('ada', { deny: ['other.test'] });
      changed = get(client, `${origin}/second`, { workspaceId: 'ada' }).finally(() => response.end('first'));
      return response;
    });
    expect(told(await get(client, `${origin}/first`, { workspaceId: 'ada' }))).toBe('200 first');
    expect(await changed).toMatchObject({ status: 200 });
  });
});

describe('a policy that can not be read', () => {
  it('lets nothing out', async () => {
    const { workspaces, call, calls } = await aScene();
    expect(told(await call('api.test'))).toBe('200 ok');
    workspaces.fault = new Error('the database is away');
    const peers = await peersDialledBy(async () => {
      expect(told(await call('api.test'))).toBe('failed policy_unavailable');
    });
    expect([peers, calls]).toEqual([[], ['api.test/']]);
  });

  // Seen to fail (a run that failed because PostgreSQL was away for a moment) without asking again.
  it('is asked for again while the database is away', async () => {
    const { workspaces, call, calls } = await aScene();
    workspaces.fault = new AppError(platformErrors.unavailable, { detail: 'Away.' });
    const answer = call('api.test');
    await eventually(() => expect(workspaces.asked).toBeGreaterThan(1));
    expect(calls).toEqual([]);
    workspaces.fault = null;
    expect(told(await answer)).toBe('200 ok');
  });

  it('lets nothing out after the deadline either', async () => {
    const workspaces = new TestWorkspaces();
    const client = aClient({
      ...workspaces.options,
      policies: { policyOf: () => new Promise<never>(() => undefined) },
    });
    expect(told(await get(client, 'http://api.test/', { timeoutMs: 50 }))).toBe('failed policy_unavailable');
  });
});

describe('the record of a refusal', () => {
  it('is written before the answer, with the node it was', async () => {
    const steps: string[] = [];
    const workspaces = new TestWorkspaces();
    const client = aClient({
      policies: workspaces,
      blocks: {
        record: async (blocked) => {
          await Promise.resolve();
          steps.push(`kept ${blocked.rule}`);
          await workspaces.record(blocked);
        },
      },
    });
    steps.push(told(await get(client, 'http://10.0.0.1/')));
    expect(steps).toEqual(['kept address.private', 'blocked address.private']);
    expect(workspaces.blocked[0]?.context).toMatchObject({
      workspaceId: 'some',
      runId: 'run',
      nodeId: 'call',
      iteration: '',
    });
  });

  it('is not written of what merely fails', async () => {
    const { workspaces, call, client } = await aScene();
    await call('nowhere.test');
    await get(client, 'not a url');
    expect(workspaces.blocked).toEqual([]);
  });
});
