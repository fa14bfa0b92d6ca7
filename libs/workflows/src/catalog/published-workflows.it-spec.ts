import { randomUUID } from 'node:crypto';
import { useTestDb } from '#platform/testing';
import { catalogEntities } from './catalog-entities';
import { aDefinition, aMember, catalogRooms, webhooks } from './testing/catalog-rooms';

describe('PublishedWorkflows', () => {
  const testDb = useTestDb({ entities: [...catalogEntities], poolSize: 1 });

  async function aPublishedWorkflow() {
    const here = catalogRooms(testDb().db);
    const member = await aMember(testDb());
    const { workspaceId } = member.access;
    const { id } = await here.workflows.create(member, { name: 'W', definition: webhooks('a') }, null);
    const { version } = await here.publishing.publish(member, id, 'any');
    const publishAgain = async (definition: unknown) => {
      await here.workflows.saveDraft(member.access, id, { definition, expected: 'any' });
      return (await here.publishing.publish(member, id, 'any')).version;
    };
    return { here, member, workspaceId, id, version, publishAgain };
  }

  it('tells the published version and what starts it', async () => {
    const { here, workspaceId, id, version } = await aPublishedWorkflow();
    expect(await here.published.current(workspaceId, id)).toEqual({
      workflowId: id,
      versionId: version.id,
      number: 1,
      triggers: [{ nodeId: 'a', type: 'trigger.webhook' }],
      labels: [],
      webhooks: new Map([['a', expect.objectContaining({ methods: ['POST'], dedupeBy: null })]]),
    });
  });

  it('finds nothing to start in a deleted workspace, at once or after five seconds, until it is restored', async () => {
    const { here, workspaceId, id } = await aPublishedWorkflow();
    const elsewhere = catalogRooms(testDb().db);
    expect(await elsewhere.published.current(workspaceId, id)).not.toBeNull();
    for (const { deletions } of [here, elsewhere]) deletions.deleted.add(workspaceId);
    expect(await here.published.current(workspaceId, id)).toBeNull();
    expect(await elsewhere.published.current(workspaceId, id)).not.toBeNull();
    elsewhere.clock.advance(5_000);
    expect(await elsewhere.published.current(workspaceId, id)).toBeNull();
    elsewhere.deletions.deleted.clear();
    expect(await elsewhere.published.current(workspaceId, id)).not.toBeNull();
  });

  it('knows a publication at once where it was made, and after five seconds elsewhere', async () => {
    const { here, workspaceId, id, publishAgain } = await aPublishedWorkflow();
    const elsewhere = catalogRooms(testDb().db);
    const numbers = async () => [
      (await here.published.current(workspaceId, id))?.number,
      (await elsewhere.published.current(workspaceId, id))?.number,
    ];
    expect(await numbers()).toEqual([1, 1]);
    const second = await publishAgain(aDefinition('2'));
    expect(await numbers()).toEqual([2, 1]);
    elsewhere.clock.advance(4_999);
    expect(await numbers()).toEqual([2, 1]);
    elsewhere.clock.advance(1);
    expect(await numbers()).toEqual([2, 2]);
    expect(await elsewhere.published.current(workspaceId, id)).toMatchObject({
      versionId: second.id,
      triggers: [{ nodeId: 'start', type: 'trigger.manual' }],
    });
  });

  it('keeps what it knows when a publication fails', async () => {
    const { here, workspaceId, id, member } = await aPublishedWorkflow();
    const known = await here.published.current(workspaceId, id);
    await here.workflows.saveDraft(member.access, id, { definition: aDefinition('2'), expected: 'any' });
    here.audit.fault = new Error('no audit');
    await expect(here.publishing.publish(member, id, 'any')).rejects.toThrow('no audit');
    expect(await here.published.current(workspaceId, id)).toEqual(known);
  });

  it('asks the database once for many starts at a time', async () => {
    const { workspaceId, id } = await aPublishedWorkflow();
    const { published } = catalogRooms(testDb().db);
    const [first, ...others] = Array.from({ length: 100 }, () => published.current(workspaceId, id));
    // One and the same answer, not a hundred that are equal.
    const answer = await first;
    for (const other of others) expect(await other).toBe(answer);
  });

  it('knows an archived workflow no more', async () => {
    const { here, workspaceId, id, member } = await aPublishedWorkflow();
    expect(await here.published.current(workspaceId, id)).not.toBeNull();
    await here.workflows.archive(member, id);
    expect(await here.published.current(workspaceId, id)).toBeNull();
  });

  it('finds an unpublished workflow as soon as it is published anywhere', async () => {
    const here = catalogRooms(testDb().db);
    const elsewhere = catalogRooms(testDb().db);
    const member = await aMember(testDb());
    const { workspaceId } = member.access;
    const { id } = await here.workflows.create(member, { name: 'W' }, null);
    expect(await elsewhere.published.current(workspaceId, id)).toBeNull();
    await here.publishing.publish(member, id, 'any');
    expect(await elsewhere.published.current(workspaceId, id)).toMatchObject({ number: 1 });
  });

  it('has nothing for another workspace, not even out of memory, and nothing for made-up ids', async () => {
    const { here, workspaceId, id } = await aPublishedWorkflow();
    const stranger = await aMember(testDb());
    const [hook] = await testDb().sql<{ id: string }>(
      'select id from workflow_hooks where workflow_id = $1',
      [id],
    );
    const hookId = hook?.id ?? '';
    expect(await here.published.current(workspaceId, id)).not.toBeNull();
    expect(await here.published.hookById(workspaceId, hookId)).toEqual({
      workflowId: id,
      nodeId: 'a',
      generation: 1,
      previousUntil: null,
    });
    for (const other of [stranger.access.workspaceId, randomUUID()]) {
      expect(await here.published.current(other, id)).toBeNull();
      expect(await here.published.hookById(other, hookId)).toBeNull();
    }
    expect(await here.published.hookById(workspaceId, randomUUID())).toBeNull();
  });
});
