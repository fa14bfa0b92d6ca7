import { randomUUID } from 'node:crypto';
import { statement } from '#platform';
import { useTestDb } from '#platform/testing';
import { catalogEntities } from './catalog-entities';
import { aDefinition, aMember, catalogRooms, testHookUrls, webhooks } from './testing/catalog-rooms';

const seeAll = statement<[], { readonly workspaceId: string }>(
  'test-see-all-workflows',
  `select workspace_id as "workspaceId" from workflows
   union all select workspace_id from workflow_versions
   union all select workspace_id from workflow_hooks`,
);
const renameAll = statement<[], { readonly workspaceId: string }>(
  'test-rename-all-workflows',
  `update workflows set name = name || '!' returning workspace_id as "workspaceId"`,
);
const plant = statement<[workspaceId: string]>(
  'test-plant-workflow',
  `insert into workflows (id, workspace_id, name, draft, created_by)
   values (gen_random_uuid(), $1::uuid, 'Planted', '{}', 'test')`,
);
const forbidden = [
  `update workflow_versions set definition = '{}'`,
  `update workflow_versions set number = number + 100`,
  `delete from workflow_versions`,
  `truncate workflow_versions cascade`,
  `update workflow_hooks set node_id = 'other'`,
  `delete from workflow_hooks`,
  `delete from workflows`,
];

describe.each(['cell_1', 'cell_2'])('the catalogue in %s', (cellId) => {
  // The two halves run one after the other, each on a fresh database that has both cells.
  const testDb = useTestDb({ entities: [...catalogEntities], cells: ['cell_2'], poolSize: 1 });
  const sql = (text: string, params: readonly unknown[] = []) =>
    testDb().sql<Record<string, string>>(text, params, cellId);

  /** A member with a workflow that was published with a webhook. */
  async function anAuthor() {
    const house = catalogRooms(testDb().db);
    const member = await aMember(testDb(), cellId);
    const { id } = await house.workflows.create(member, { name: 'W', definition: webhooks('a') }, null);
    const { version } = await house.publishing.publish(member, id, 'any');
    return { ...house, member, workspaceId: member.access.workspaceId, id, version };
  }

  it('works from the first draft to the webhook', async () => {
    const { workflows, publishing, published, member, workspaceId, id } = await anAuthor();
    await workflows.saveDraft(member.access, id, { definition: aDefinition('2'), expected: 1 });
    await publishing.publish(member, id, 2);
    await workflows.saveDraft(member.access, id, { definition: webhooks('a', 'b'), expected: 2 });
    await publishing.publish(member, id, 3);
    const { triggers } = await workflows.get(member.access, id);
    const token = testHookUrls.parse(triggers[1]?.hookUrl?.split('/').at(-1) ?? '');
    expect(token?.workspaceId).toBe(workspaceId);
    expect(await published.hookById(workspaceId, token?.hookId ?? '')).toMatchObject({
      workflowId: id,
      nodeId: 'b',
    });
    expect(await published.current(workspaceId, id)).toMatchObject({ number: 3 });
    const { data } = await workflows.list(workspaceId, { state: 'live', beforeId: null, limit: 5 });
    expect(data).toMatchObject([{ id, published: { number: 3 } }]);
  });

  it('stores everything in that cell alone', async () => {
    const { id } = await anAuthor();
    const other = cellId === 'cell_1' ? 'cell_2' : 'cell_1';
    for (const query of [
      'select from workflows where id = $1',
      'select from workflow_versions where workflow_id = $1',
      'select from workflow_hooks where workflow_id = $1',
    ]) {
      expect(await testDb().sql(query, [id], cellId)).toHaveLength(1);
      expect(await testDb().sql(query, [id], other)).toHaveLength(0);
    }
  });

  it('shows a tenant nothing of others to read or change, also when a query forgets to ask', async () => {
    const [mine] = [await anAuthor(), await anAuthor()];
    const { workspaceId } = mine;
    const { db } = testDb();
    const seen = await db.tenant(workspaceId, (tx) => tx.query(seeAll));
    expect(seen).toEqual(Array.from({ length: 3 }, () => ({ workspaceId })));
    expect(await db.tenant(workspaceId, (tx) => tx.query(renameAll))).toEqual([{ workspaceId }]);
    expect(await sql(`select from workflows where name = 'W!'`)).toHaveLength(1);
  });

  it('takes no row for another workspace from a tenant', async () => {
    const [mine, other] = [await anAuthor(), await anAuthor()];
    const planted = testDb().db.tenant(mine.workspaceId, (tx) => tx.query(plant, other.workspaceId));
    await expect(planted).rejects.toMatchObject({ code: '42501' });
  });

  it.each(forbidden)('refuses to a tenant: %s', async (text) => {
    const { workspaceId } = await anAuthor();
    const attempt = testDb().db.tenant(workspaceId, (tx) => tx.query(statement(`test ${text}`, text)));
    await expect(attempt).rejects.toMatchObject({ code: '42501' });
  });

  it('stores no reference from one workspace into another, whoever writes it', async () => {
    const [mine, other] = [await anAuthor(), await anAuthor()];
    const version = sql(
      `insert into workflow_versions (id, workspace_id, workflow_id, number, definition, published_by)
       values ($1, $2, $3, 7, '{}', 'test')`,
      [randomUUID(), mine.workspaceId, other.id],
    );
    await expect(version).rejects.toMatchObject({ constraint: 'workflow_versions_workflow_fkey' });
    const hook = sql(
      `insert into workflow_hooks (id, workspace_id, workflow_id, node_id) values ($1, $2, $3, 'z')`,
      [randomUUID(), mine.workspaceId, other.id],
    );
    await expect(hook).rejects.toMatchObject({ constraint: 'workflow_hooks_workflow_fkey' });
    const pointer = sql('update workflows set published_version_id = $1 where id = $2', [
      other.version.id,
      mine.id,
    ]);
    await expect(pointer).rejects.toMatchObject({ constraint: 'workflows_published_version_fkey' });
  });
});
