import { randomUUID } from 'node:crypto';
import { IPv4, IPv6 } from 'ipaddr.js';
import { useTestDb } from '#platform/testing';
import { httpRequestNode } from '../nodes/http-request.node';
import { noMask } from '../nodes/output-mask';
import { BLOCKED_CIDRS } from './address';
import { EgressClient } from './guarded-client';
import { anHttpServer, closeLab, names, peersDialledBy } from './testing/client-lab';
import { anAdmin, egressRooms } from './testing/egress-rooms';

/** Spellings of 127.0.0.1 and of what leads to it. */
const SPELLINGS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.0x0.0x0.0x1',
  '0177.0.0.1',
  '0177.0x0.1',
  '017700000001',
  '00000177.1',
  '127.0.0.1.',
  '127.000.000.001',
  '%31%32%37.0.0.1',
  '127。0。0。1',
  '１２７.0.0.1',
  '①②⑦.⓪.⓪.①',
  '127.0.0.1\t',
  '0',
  '0.0.0.0',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000::0001]',
  '[::127.0.0.1]',
  '[::ffff:127.0.0.1]',
  '[::FFFF:7F00:1]',
  '[0:0:0:0:0:ffff:7f00:1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::]',
];

/** Names, and what a name server says of them. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  localhost: ['::1', '127.0.0.1'],
  'localhost.example.com': ['127.0.0.1'],
  'first.test': ['127.0.0.1', '8.8.8.8'],
  'last.test': ['8.8.8.8', '2606:4700::1', '127.0.0.1'],
  'v6.test': ['8.8.8.8', '::1'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'nat64.test': ['64:ff9b::7f00:1'],
  'zoned.test': ['fe80::1%lo'],
  'metadata.test': ['169.254.169.254'],
  'shared.test': ['100.64.0.1'],
  'nonsense.test': ['not an address'],
};

/** First and last address of a block as a URL names them; of an IPv4 block also as mapped IPv6. */
function edgesOf(cidr: string): readonly string[] {
  if (cidr.includes(':')) {
    const first = IPv6.networkAddressFromCIDR(cidr).toString();
    return [`[${first}]`, `[${IPv6.broadcastAddressFromCIDR(cidr).toString()}]`];
  }
  const edges = [IPv4.networkAddressFromCIDR(cidr), IPv4.broadcastAddressFromCIDR(cidr)];
  return edges.flatMap((edge) => [
    edge.toString(),
    `[::ffff:${edge.toString()}]`,
    `[64:ff9b::${edge.toString()}]`,
  ]);
}

describe('a node that calls what is refused', () => {
  const testDb = useTestDb();
  afterEach(closeLab);

  /** A node of a workspace, with the guard as it is by default, and what is kept of its refusals. */
  async function aNode() {
    const caller = await anAdmin(testDb());
    const { workspaceId } = caller.access;
    const { policies, events, clock } = egressRooms(testDb().db);
    const client = new EgressClient({ policies, blocks: events, lookup: names(NAMES) });
    const kind = httpRequestNode(client);
    const call = (url: string) =>
      kind.execute({
        params: kind.params.parse({ url }),
        trigger: null,
        runId: randomUUID(),
        nodeId: 'call',
        iteration: '3.1',
        attempt: 1,
        workspaceId,
        idempotencyKey: 'k',
        now: clock.now(),
        runStartedAt: clock.now().toISOString(),
        signal: new AbortController().signal,
        mask: noMask,
      });
    const kept = async () => {
      const rows = await testDb().sql<{ count: number; rules: string[] }>(
        `select sum(count)::int as count, array_agg(distinct rule order by rule) as rules
           from egress_block_events where workspace_id = $1 and iteration = '3.1' and node_id = 'call'`,
        [workspaceId],
      );
      return rows[0];
    };
    return { caller, client, policies, clock, call, kept };
  }

  it('is refused whatever the spelling, edge or name, dials nobody, and leaves one record for each', async () => {
    const { call, kept, client } = await aNode();
    let connections = 0;
    const origin = await anHttpServer((_request, response) => {
      connections += 1;
      response.end('inside');
    });
    const { port } = new URL(origin);
    const hosts = [...SPELLINGS, ...Object.keys(NAMES), ...BLOCKED_CIDRS.flatMap(([cidr]) => edgesOf(cidr))];
    const urls = [
      ...hosts.map((host) => `http://${host}:${port}/x?key=secret`),
      `file:///etc/passwd`,
      `http://user:pass@example.com/`,
      `http://example.com:22/`,
    ];
    const answers: unknown[] = [];
    const peers = await peersDialledBy(async () => {
      for (const url of urls) {
        const outcome = await call(url);
        answers.push([url, outcome.kind === 'failed' && [outcome.error.code, outcome.retryable]]);
      }
    });
    await client.close();
    expect(answers).toEqual(urls.map((url) => [url, ['egress.blocked', false]]));
    expect([peers, connections]).toEqual([[], 0]);
    const { count, rules } = (await kept()) ?? {};
    expect(count).toBe(urls.length);
    // Every rule of the guard has had its turn.
    const ranges = new Set(BLOCKED_CIDRS.map(([, range]) => `address.${range}`));
    expect(rules).toEqual([...ranges, 'address.invalid', 'credentials', 'port', 'scheme'].toSorted());
  });

  it('fails with an error that can be tried again when the policy can not be read, and calls nobody', async () => {
    const { call, client, clock } = await aNode();
    await testDb().sql('alter table egress_policies rename to away');
    clock.advance(5_000);
    const outcome = await call('http://8.8.8.8/');
    await testDb().sql('alter table away rename to egress_policies');
    await client.close();
    expect(outcome).toMatchObject({
      kind: 'failed',
      retryable: true,
      error: { code: 'egress.policy_unavailable' },
    });
  });

  it('keeps to the policy of its workspace from the moment it is saved', async () => {
    const { call, client, caller, policies, kept } = await aNode();
    await policies.save(caller, { defaultAction: 'deny', allow: [], deny: [], dryRun: false }, 0);
    const peers = await peersDialledBy(async () => {
      expect(await call('http://8.8.8.8/')).toMatchObject({
        error: { code: 'egress.blocked', details: { rule: 'policy.default', url: 'http://8.8.8.8/' } },
      });
    });
    await client.close();
    expect([peers, await kept()]).toEqual([[], { count: 1, rules: ['policy.default'] }]);
  });
});
