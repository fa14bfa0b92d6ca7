import { barrier, useTestDb } from '#platform/testing';
import { catalogEntities } from './catalog-entities';
import {
  accessTo,
  aDefinition,
  aMember,
  catalogRooms,
  testHookUrls,
  webhooks,
} from './testing/catalog-rooms';
import { replaceDraft } from './workflow.sql';
import type { Caller } from './workflows.service';

const PARALLEL = 20;

describe('Publishing', () => {
  const testDb = useTestDb({ entities: [...catalogEntities], poolSize: PARALLEL });
  const rooms = () => catalogRooms(testDb().db);
  type Rooms = ReturnType<typeof rooms>;

  async function aWorkflow({ workflows }: Rooms, member: Caller, definition: unknown): Promise<string> {
    return (await workflows.create(member, { name: 'W', definition }, null)).id;
  }

  const numbersOf = async ({ publishing }: Rooms, { access }: Caller, id: string) =>
    (await publishing.list(access.workspaceId, id, { beforeNumber: null, limit: 100 })).data.map(
      ({ number }) => number,
    );

  it('stores what was drafted under the next number, and tells the audit log', async () => {
    const house = rooms();
    const { workflows, publishing, audit } = house;
    const member = await aMember(testDb());
    const id = await aWorkflow(house, member, aDefinition('one'));
    const first = await publishing.publish(member, id, 1);
    await workflows.saveDraft(member.access, id, { definition: aDefinition('two'), expected: 1 });
    const second = await publishing.publish(member, id, 'any');
    expect(first).toMatchObject({
      isNew: true,
      version: { number: 1, definition: { nodes: [{}, { params: { values: { text: 'one' } } }] } },
    });
    expect(second).toMatchObject({
      isNew: true,
      version: { number: 2, definition: { nodes: [{}, { params: { values: { text: 'two' } } }] } },
    });
    const { workspaceId } = member.access;
    expect(await publishing.get(workspaceId, id, 1)).toEqual(first.version);
    expect(await workflows.get(member.access, id)).toMatchObject({
      published: { versionId: second.version.id, number: 2, publishedAt: second.version.publishedAt },
      triggers: [{ nodeId: 'start', type: 'trigger.manual' }],
    });
    expect(audit.entries).toMatchObject([
      {
        workspaceId,
        action: 'workflow.published',
        targetId: id,
        after: { number: 1, versionId: first.version.id },
      },
      { action: 'workflow.published', after: { number: 2 } },
    ]);
  });

  it('answers an unchanged draft with the version there is, also when it was saved again', async () => {
    const house = rooms();
    const member = await aMember(testDb());
    const id = await aWorkflow(house, member, aDefinition('same'));
    const first = await house.publishing.publish(member, id, 'any');
    await house.workflows.saveDraft(member.access, id, { definition: aDefinition('same'), expected: 1 });
    expect(await house.publishing.publish(member, id, 2)).toEqual({ isNew: false, version: first.version });
    expect(await numbersOf(house, member, id)).toEqual([1]);
    expect(house.audit.entries).toHaveLength(1);
  });

  it('refuses a draft with problems and names them all, with their places in the body', async () => {
    const house = rooms();
    const member = await aMember(testDb());
    const broken = {
      nodes: [
        { id: 'start', type: 'trigger.manual' },
        { id: 'a', type: 'set', params: { values: { text: '{{ nodes.nobody }}' } } },
        { id: 'b', type: 'no.such' },
      ],
      edges: [
        { from: 'start', to: 'a', port: 'nowhere' },
        { from: 'a', to: 'gone' },
      ],
    };
    const id = await aWorkflow(house, member, broken);
    const refusal = await house.publishing.publish(member, id, 'any').catch((error: unknown) => error);
    const { problems } = await house.publishing.validate(member.access.workspaceId, broken);
    expect(refusal).toMatchObject({ code: 'workflow.invalid_definition', context: { problems } });
    expect(problems.map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining([
        '/definition/nodes/1/params/values/text',
        '/definition/nodes/2/type',
        '/definition/edges/0/port',
        '/definition/edges/1/to',
      ]),
    );
    expect(await numbersOf(house, member, id)).toEqual([]);
  });

  it('refuses more nodes than the plan allows before anything is written', async () => {
    const house = rooms();
    const member = await aMember(testDb());
    const id = await aWorkflow(house, member, aDefinition('x'));
    house.limits.limits = { planName: 'Solo', workflows: null, nodesPerWorkflow: 1 };
    await expect(house.publishing.publish(member, id, 'any')).rejects.toMatchObject({
      code: 'workflow.limit_reached',
      context: {
        meta: { limit: 'nodesPerWorkflow', plan: 'Solo', allowed: 1 },
        problems: [{ pointer: '/definition/nodes', code: 'plan_limit' }],
      },
    });
    expect(await house.publishing.validate(member.access.workspaceId, aDefinition('x'))).toMatchObject({
      valid: false,
      problems: [{ code: 'plan_limit', pointer: '/definition/nodes' }],
    });
    expect(await numbersOf(house, member, id)).toEqual([]);
    house.limits.limits = { planName: 'Solo', workflows: null, nodesPerWorkflow: 2 };
    await expect(house.publishing.publish(member, id, 'any')).resolves.toMatchObject({ isNew: true });
  });

  it('refuses a draft that is not the one the author has seen', async () => {
    const house = rooms();
    const member = await aMember(testDb());
    const id = await aWorkflow(house, member, aDefinition('1'));
    await house.workflows.saveDraft(member.access, id, { definition: aDefinition('2'), expected: 1 });
    await expect(house.publishing.publish(member, id, 1)).rejects.toMatchObject({
      code: 'request.precondition_failed',
      context: { meta: { currentRevision: 2 } },
    });
  });

  it('leaves nothing behind when the audit log can not be written', async () => {
    const house = rooms();
    const member = await aMember(testDb());
    const id = await aWorkflow(house, member, webhooks('a'));
    house.audit.fault = new Error('no audit');
    await expect(house.publishing.publish(member, id, 'any')).rejects.toThrow('no audit');
    expect(await house.workflows.get(member.access, id)).toMatchObject({ published: null });
    expect(await testDb().sql('select from workflow_versions where workflow_id = $1', [id])).toEqual([]);
    expect(await testDb().sql('select from workflow_hooks where workflow_id = $1', [id])).toEqual([]);
    house.audit.fault = null;
    expect((await house.publishing.publish(member, id, 'any')).version.number).toBe(1);
  });

  it('gives each webhook a URL that stays, also when its node goes and comes back', async () => {
    const house = rooms();
    const member = await aMember(testDb());
    const { access } = member;
    const id = await aWorkflow(house, member, webhooks('a', 'b'));
    const publish = async (...nodeIds: readonly string[]) => {
      await house.workflows.saveDraft(access, id, { definition: webhooks(...nodeIds), expected: 'any' });
      await house.publishing.publish(member, id, 'any');
      const { triggers } = await house.workflows.get(access, id);
      return Object.fromEntries(triggers.map(({ nodeId, hookUrl }) => [nodeId, hookUrl]));
    };
    const first = await publish('a', 'b');
    expect(first['a']).toMatch(/^https:\/\/flows\.example\/hooks\/[\w-]{64}$/);
    expect(first['a']).not.toBe(first['b']);
    expect(await publish('b', 'c')).toMatchObject({ b: first['b'] });
    expect(await publish('a', 'b')).toEqual(first);
    const token = testHookUrls.parse(first['a']?.split('/').at(-1) ?? '');
    const target = await house.published.hookById(access.workspaceId, token?.hookId ?? '');
    expect(target).toEqual({ workflowId: id, nodeId: 'a', generation: 1, previousUntil: null });
    expect(token && testHookUrls.verify(token, 1)).toBe(true);
  });

  it('shows webhook URLs only to who may see them', async () => {
    const house = rooms();
    const member = await aMember(testDb());
    const id = await aWorkflow(house, member, webhooks('a'));
    await house.publishing.publish(member, id, 'any');
    const viewer = accessTo(member.access.workspaceId, ['workflow:read']);
    expect((await house.workflows.get(viewer, id)).triggers).toEqual([
      { nodeId: 'a', type: 'trigger.webhook' },
    ]);
    expect((await house.workflows.get(member.access, id)).triggers).toMatchObject([
      { hookUrl: expect.any(String) },
    ]);
  });

  describe('at the same moment', () => {
    async function racing(work: (house: Rooms, i: number) => Promise<void>) {
      const elsewhere = catalogRooms(await testDb().connectAgain());
      const here = rooms();
      const go = barrier(PARALLEL);
      await Promise.all(
        Array.from({ length: PARALLEL }, async (_, i) => {
          await go();
          await work(i % 2 === 0 ? here : elsewhere, i);
        }),
      );
    }

    // Seen to fail without the lock of the workflow's row: workflow_versions_number_key was violated.
    it('makes one version of an unchanged draft', async () => {
      const house = rooms();
      const member = await aMember(testDb());
      const id = await aWorkflow(house, member, webhooks('a', 'b'));
      const outcomes: boolean[] = [];
      await racing(async ({ publishing }) => {
        const { isNew, version } = await publishing.publish(member, id, 'any');
        expect(version.number).toBe(1);
        outcomes.push(isNew);
      });
      expect(outcomes.filter((isNew) => isNew)).toHaveLength(1);
      expect(await numbersOf(house, member, id)).toEqual([1]);
      expect(await testDb().sql('select from workflow_hooks where workflow_id = $1', [id])).toHaveLength(2);
    });

    // Seen to fail without the lock of the workflow's row: workflow_versions_number_key was violated.
    it('numbers versions of changed drafts without gap or duplicate', async () => {
      const house = rooms();
      const member = await aMember(testDb());
      const id = await aWorkflow(house, member, aDefinition('first'));
      const given: number[] = [];
      await racing(async ({ workflows, publishing }, i) => {
        await workflows.saveDraft(member.access, id, {
          definition: aDefinition(`draft ${i}`),
          expected: 'any',
        });
        const { isNew, version } = await publishing.publish(member, id, 'any');
        if (isNew) given.push(version.number);
      });
      const numbers = await numbersOf(house, member, id);
      expect(numbers.toReversed()).toEqual(numbers.map((_, i) => i + 1));
      expect(given.toSorted((a, b) => b - a)).toEqual(numbers);
      // Everybody published after saving, so what was saved last is published.
      const { draft, published } = await house.workflows.get(member.access, id);
      expect(published?.number).toBe(numbers[0]);
      expect((await house.publishing.get(member.access.workspaceId, id, numbers[0] ?? 0)).definition).toEqual(
        draft,
      );
    });

    // Seen to fail without the lock of the workflow's row: workflow_versions_number_key was violated.
    it('makes twenty versions of twenty publications when the draft changes in between', async () => {
      const house = rooms();
      const member = await aMember(testDb());
      const { workspaceId } = member.access;
      const id = await aWorkflow(house, member, aDefinition('draft 1'));
      const given: number[] = [];
      await racing(async ({ publishing, audit }) => {
        // Each publication leaves another draft to the next one.
        audit.alongside = async (tx, { after }) => {
          const next = JSON.stringify(aDefinition(`draft ${Number(after?.['number']) + 1}`));
          await tx.query(replaceDraft, workspaceId, id, next, null);
        };
        given.push((await publishing.publish(member, id, 'any')).version.number);
      });
      const oneTo20 = Array.from({ length: PARALLEL }, (_, i) => i + 1);
      expect(given.toSorted((one, other) => one - other)).toEqual(oneTo20);
      for (const number of oneTo20) {
        const { definition } = await house.publishing.get(workspaceId, id, number);
        expect(definition).toMatchObject(aDefinition(`draft ${number}`));
      }
    });
  });

  it('lists versions newest first, page by page', async () => {
    const house = rooms();
    const member = await aMember(testDb());
    const { access } = member;
    const id = await aWorkflow(house, member, aDefinition('0'));
    for (const text of ['1', '2', '3']) {
      await house.workflows.saveDraft(access, id, { definition: aDefinition(text), expected: 'any' });
      await house.publishing.publish(member, id, 'any');
    }
    const first = await house.publishing.list(access.workspaceId, id, { beforeNumber: null, limit: 2 });
    expect(first).toMatchObject({ data: [{ number: 3 }, { number: 2 }], hasMore: true });
    expect(first.data[0]).not.toHaveProperty('definition');
    const rest = await house.publishing.list(access.workspaceId, id, { beforeNumber: 2, limit: 2 });
    expect(rest).toMatchObject({ data: [{ number: 1 }], hasMore: false });
    await expect(house.publishing.get(access.workspaceId, id, 4)).rejects.toMatchObject({
      code: 'workflow.version_not_found',
    });
  });
});
