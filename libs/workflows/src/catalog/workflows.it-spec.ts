import { randomUUID } from 'node:crypto';
import { type IdempotencyKey, principalKey } from '#platform';
import { barrier, useTestDb } from '#platform/testing';
import { WorkflowResumed } from '../events';
import { catalogEntities } from './catalog-entities';
import { aDefinition, aMember, catalogRooms, webhooks } from './testing/catalog-rooms';

describe('Workflows', () => {
  const testDb = useTestDb({ entities: [...catalogEntities], poolSize: 12 });
  const rooms = () => catalogRooms(testDb().db);

  const keyIn = (workspaceId: string): IdempotencyKey => ({
    scope: 'test',
    key: 'k',
    requestHash: Buffer.alloc(32),
    workspaceId,
  });

  it('begin with a manual trigger that can be published as it is', async () => {
    const { workflows, publishing } = rooms();
    const member = await aMember(testDb());
    const created = await workflows.create(member, { name: 'Orders' }, null);
    expect(created).toMatchObject({
      name: 'Orders',
      draftRevision: 1,
      published: null,
      triggers: [],
      archivedAt: null,
      pausedAt: null,
      pausedBy: null,
    });
    expect(await workflows.get(member.access, created.id)).toEqual(created);
    expect((await publishing.publish(member, created.id, 1)).version.definition).toEqual(created.draft);
  });

  it('are created once per Idempotency-Key', async () => {
    const { workflows } = rooms();
    const member = await aMember(testDb());
    const wanted = { name: 'Once', definition: aDefinition('a') };
    const key = keyIn(member.access.workspaceId);
    const first = await workflows.create(member, wanted, key);
    expect(await workflows.create(member, wanted, key)).toEqual(first);
  });

  it('take any graph of the right shape as a draft, with its defaults filled in', async () => {
    const { workflows } = rooms();
    const member = await aMember(testDb());
    const definition = { nodes: [{ id: 'a', type: 'no.such' }], edges: [{ from: 'x', to: 'y' }] };
    const { draft } = await workflows.create(member, { name: 'In pieces', definition }, null);
    expect(draft).toEqual({
      nodes: [{ id: 'a', type: 'no.such', params: {}, join: 'all' }],
      edges: [{ from: 'x', port: 'out', to: 'y' }],
    });
  });

  it.each([
    ['nothing', null, '/definition'],
    ['a list', [], '/definition'],
    [
      'a NUL',
      { nodes: [{ id: 'a', type: 'set', params: { x: ['\0'] } }], edges: [] },
      '/definition/nodes/0/params/x/0',
    ],
    ['half a character', { nodes: [{ id: 'a', type: '\ud800' }], edges: [] }, '/definition/nodes/0/type'],
    ['an unknown member', { nodes: [], edges: [], a: 1 }, '/definition/a'],
    ['a node without a type', { nodes: [{ id: 'a' }], edges: [] }, '/definition/nodes/0/type'],
    ['too much', { nodes: [], edges: [], a: 'x'.repeat(1_100_000) }, '/definition'],
    ['501 nodes', { nodes: Array.from({ length: 501 }, () => 1), edges: [] }, '/definition/nodes'],
  ])('refuse %s as a draft and say where', async (_, definition, pointer) => {
    const { workflows } = rooms();
    const member = await aMember(testDb());
    const refused = workflows.create(member, { name: 'Hostile', definition }, null);
    await expect(refused).rejects.toMatchObject({
      code: 'request.invalid',
      context: { problems: expect.arrayContaining([expect.objectContaining({ pointer })]) },
    });
  });

  it('keep params byte by byte, and take no member for a prototype', async () => {
    const { workflows } = rooms();
    const member = await aMember(testDb());
    const params: unknown = JSON.parse(
      '{"value": {"__proto__": {"isAdmin": true}, "b": 1, "a": "\u2028€😀"}}',
    );
    const definition = { nodes: [{ id: 'a', type: 'set', params }], edges: [] };
    const { id } = await workflows.create(member, { name: 'Bytes', definition }, null);
    const { draft } = await workflows.get(member.access, id);
    expect(JSON.stringify(draft.nodes[0]?.params)).toBe(JSON.stringify(params));
    expect(Reflect.get({}, 'isAdmin')).toBeUndefined();
  });

  describe('names', () => {
    it('are taken whatever the letters, until their workflow is archived', async () => {
      const { workflows } = rooms();
      const [member, other] = [await aMember(testDb()), await aMember(testDb())];
      const { id } = await workflows.create(member, { name: 'Über' }, null);
      const again = () => workflows.create(member, { name: 'ÜBER' }, null);
      await expect(again()).rejects.toMatchObject({
        code: 'workflow.name_taken',
        context: { problems: [{ pointer: '/name' }] },
      });
      await expect(workflows.create(other, { name: 'über' }, null)).resolves.toBeDefined();
      await workflows.archive(member, id);
      await expect(again()).resolves.toMatchObject({ name: 'ÜBER' });
    });

    it('can be changed, also in their letters alone, but not to one that is taken', async () => {
      const { workflows } = rooms();
      const member = await aMember(testDb());
      await workflows.create(member, { name: 'Taken' }, null);
      const { id } = await workflows.create(member, { name: 'mine' }, null);
      expect(await workflows.rename(member.access, id, 'Mine')).toMatchObject({
        name: 'Mine',
        draftRevision: 1,
      });
      expect(await workflows.rename(member.access, id, undefined)).toMatchObject({ name: 'Mine' });
      await expect(workflows.rename(member.access, id, 'taken')).rejects.toMatchObject({
        code: 'workflow.name_taken',
      });
    });

    // Seen to fail with `drop index workflows_name_key` before the race: all ten were created.
    it('go to one of ten who create them at the same moment', async () => {
      const { workflows } = rooms();
      const member = await aMember(testDb());
      const go = barrier(10);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, async (_, i) => {
          await go();
          return workflows.create(member, { name: i % 2 === 0 ? 'Same' : 'SAME' }, null);
        }),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const codes = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [outcome.reason.code] : [],
      );
      expect(new Set(codes)).toEqual(new Set(['workflow.name_taken']));
    });
  });

  describe('drafts', () => {
    it('are replaced at the revision that was read, and at any for who insists', async () => {
      const { workflows } = rooms();
      const { access, ...member } = await aMember(testDb());
      const { id } = await workflows.create({ access, ...member }, { name: 'Revisions' }, null);
      const second = await workflows.saveDraft(access, id, { definition: aDefinition('2'), expected: 1 });
      expect(second).toMatchObject({
        draftRevision: 2,
        draft: { nodes: [{}, { params: { values: { text: '2' } } }] },
      });
      const stale = workflows.saveDraft(access, id, { definition: aDefinition('3'), expected: 1 });
      await expect(stale).rejects.toMatchObject({
        code: 'request.precondition_failed',
        context: { meta: { currentRevision: 2 } },
      });
      // A client may name any number; it must not overflow the column.
      const absurd = workflows.saveDraft(access, id, {
        definition: aDefinition('3'),
        expected: 999_999_999_999_999,
      });
      await expect(absurd).rejects.toMatchObject({ code: 'request.precondition_failed' });
      const forced = await workflows.saveDraft(access, id, { definition: aDefinition('4'), expected: 'any' });
      expect(forced.draftRevision).toBe(3);
    });

    // Seen to fail without `draft_revision = $4` in replaceDraft: both sessions won.
    it('of one revision are saved by one of two processes', async () => {
      const { workflows } = rooms();
      const elsewhere = catalogRooms(await testDb().connectAgain()).workflows;
      const { access, ...member } = await aMember(testDb());
      const { id } = await workflows.create({ access, ...member }, { name: 'Raced' }, null);
      for (let expected = 1; expected <= 10; expected += 1) {
        const go = barrier(2);
        const outcomes = await Promise.allSettled(
          [workflows, elsewhere].map(async (editor, i) => {
            await go();
            return editor.saveDraft(access, id, { definition: aDefinition(`${expected} by ${i}`), expected });
          }),
        );
        const [won, lost] = outcomes.toSorted((a, b) => a.status.localeCompare(b.status));
        expect(won).toMatchObject({ value: { draftRevision: expected + 1 } });
        expect(lost).toMatchObject({ reason: { code: 'request.precondition_failed' } });
        const kept = await workflows.get(access, id);
        expect(won).toMatchObject({ value: { draft: kept.draft } });
      }
    });
  });

  describe('the plan', () => {
    // Seen to fail without lockWorkflowsOf: 11 of 12 were created.
    it('allows exactly as many workflows, however many are created at once and wherever', async () => {
      const here = rooms();
      const elsewhere = catalogRooms(await testDb().connectAgain());
      const member = await aMember(testDb());
      for (const { limits } of [here, elsewhere])
        limits.limits = { ...limits.limits, planName: 'Solo', workflows: 3 };
      const go = barrier(12);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 12 }, async (_, i) => {
          await go();
          return (i % 2 === 0 ? here : elsewhere).workflows.create(member, { name: `Number ${i}` }, null);
        }),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') continue;
        expect(outcome.reason).toMatchObject({
          code: 'workflow.limit_reached',
          context: { meta: { limit: 'workflows', plan: 'Solo', allowed: 3 } },
        });
      }
      const { data } = await here.workflows.list(member.access.workspaceId, {
        state: 'live',
        beforeId: null,
        limit: 20,
      });
      expect(data).toHaveLength(3);
    });

    it('counts no archived workflow, and none of another workspace', async () => {
      const { workflows, limits } = rooms();
      limits.limits = { ...limits.limits, workflows: 1 };
      const [member, other] = [await aMember(testDb()), await aMember(testDb())];
      const { id } = await workflows.create(member, { name: 'One' }, null);
      await expect(workflows.create(other, { name: 'One' }, null)).resolves.toBeDefined();
      await expect(workflows.create(member, { name: 'Two' }, null)).rejects.toMatchObject({
        code: 'workflow.limit_reached',
      });
      await workflows.archive(member, id);
      await expect(workflows.create(member, { name: 'Two' }, null)).resolves.toBeDefined();
    });
  });

  it('are listed newest first, page by page, without their graphs, live or archived', async () => {
    const { workflows, publishing } = rooms();
    const member = await aMember(testDb());
    const { workspaceId } = member.access;
    const made: string[] = [];
    for (const name of ['A', 'B', 'C', 'D']) made.push((await workflows.create(member, { name }, null)).id);
    const [a = '', b = '', c = '', d = ''] = made;
    await publishing.publish(member, c, 'any');
    await workflows.archive(member, b);
    const first = await workflows.list(workspaceId, { state: 'live', beforeId: null, limit: 2 });
    expect(first).toMatchObject({
      data: [
        { id: d, published: null },
        { id: c, published: { number: 1 } },
      ],
      hasMore: true,
    });
    expect(first.data[0]).not.toHaveProperty('draft');
    const rest = await workflows.list(workspaceId, { state: 'live', beforeId: c, limit: 2 });
    expect(rest).toMatchObject({ data: [{ id: a }], hasMore: false, nextCursor: null });
    const archived = await workflows.list(workspaceId, { state: 'archived', beforeId: null, limit: 2 });
    expect(archived.data.map(({ id }) => id)).toEqual([b]);
  });

  it('are archived once, and can be read but not changed afterwards', async () => {
    const { workflows, publishing, audit } = rooms();
    const member = await aMember(testDb());
    const { access } = member;
    const { id } = await workflows.create(member, { name: 'Old', definition: webhooks('hook') }, null);
    await publishing.publish(member, id, 'any');
    const archived = await workflows.archive(member, id);
    expect(archived).toMatchObject({
      archivedAt: expect.any(String),
      published: { number: 1 },
      triggers: [],
    });
    expect(await workflows.archive(member, id)).toEqual(archived);
    expect(await workflows.get(access, id)).toEqual(archived);
    expect(audit.entries.map(({ action }) => action)).toEqual(['workflow.published', 'workflow.archived']);
    const conflict = { code: 'request.conflict' };
    await expect(workflows.rename(access, id, 'New')).rejects.toMatchObject(conflict);
    const saved = workflows.saveDraft(access, id, { definition: webhooks('hook'), expected: 'any' });
    await expect(saved).rejects.toMatchObject(conflict);
    await expect(publishing.publish(member, id, 'any')).rejects.toMatchObject(conflict);
    expect(await workflows.get(access, id)).toEqual(archived);
  });

  it('are paused and resumed once each, by whom is told, also after they were archived', async () => {
    const { workflows, audit, hints } = rooms();
    const member = await aMember(testDb());
    const { id } = await workflows.create(member, { name: 'Busy' }, null);
    const resumed: string[] = [];
    hints.on(WorkflowResumed, ({ workflowId }) => resumed.push(workflowId));
    const paused = await workflows.pause(member, id);
    expect(paused).toMatchObject({
      pausedAt: expect.any(String),
      pausedBy: principalKey(member.principal),
    });
    expect(await workflows.pause(member, id)).toEqual(paused);
    expect(resumed).toEqual([]);
    await workflows.archive(member, id);
    const goesOn = { pausedAt: null, pausedBy: null };
    expect(await workflows.resume(member, id)).toMatchObject(goesOn);
    expect(await workflows.resume(member, id)).toMatchObject(goesOn);
    expect(resumed).toEqual([id]);
    await expect(workflows.pause(member, id)).rejects.toMatchObject({ code: 'request.conflict' });
    expect(audit.entries.map(({ action }) => action)).toEqual([
      'workflow.paused',
      'workflow.archived',
      'workflow.resumed',
    ]);
  });

  it('of other workspaces are missing, whatever is asked of them', async () => {
    const { workflows, publishing } = rooms();
    const [owner, stranger] = [await aMember(testDb()), await aMember(testDb())];
    const { id } = await workflows.create(owner, { name: 'Mine' }, null);
    await publishing.publish(owner, id, 'any');
    const { access } = stranger;
    const definition = aDefinition('stolen');
    for (const asked of [id, randomUUID()]) {
      const attempts = [
        () => workflows.get(access, asked),
        () => workflows.rename(access, asked, 'Theirs'),
        () => workflows.saveDraft(access, asked, { definition, expected: 'any' }),
        () => workflows.saveDraft(access, asked, { definition, expected: 1 }),
        () => workflows.archive(stranger, asked),
        () => publishing.publish(stranger, asked, 'any'),
        () => publishing.list(access.workspaceId, asked, { beforeNumber: null, limit: 5 }),
        () => publishing.get(access.workspaceId, asked, 1),
      ];
      for (const attempt of attempts) {
        await expect(attempt()).rejects.toMatchObject({
          code: 'workflow.not_found',
          context: { detail: 'No such workflow in this workspace.' },
        });
      }
    }
    expect(await workflows.get(owner.access, id)).toMatchObject({
      name: 'Mine',
      draftRevision: 1,
      archivedAt: null,
    });
  });
});
