import { randomBytes, randomUUID } from 'node:crypto';
import { KeyRing, Keys, Resealer, SystemRandom } from '#platform';
import { useTestDb } from '#platform/testing';
import { sealedColumns } from './sealed-columns';

describe('the sealed columns', () => {
  const testDb = useTestDb();
  const keys = new Keys(randomBytes(32));
  const ringOf = (...ids: readonly number[]) =>
    new KeyRing(
      keys,
      ids.map((id) => ({ id, key: Buffer.alloc(32, id) })),
      new SystemRandom(),
    );

  it('are all columns of this lib that hold boxes: what is left out would be lost with its key', async () => {
    const rows = await testDb().sql<{ place: string }>(
      `select table_name || '.' || column_name as place from information_schema.columns
        where table_schema = 'cell_1' and data_type = 'bytea' and column_name like '%sealed%' order by 1`,
    );
    expect(rows.map(({ place }) => place)).toEqual(
      sealedColumns.map(({ table, column }) => `${table}.${column}`).toSorted(),
    );
  });

  it('are sealed anew in the place that they are opened in', async () => {
    const [workspaceId, workflowId, hookId] = [randomUUID(), randomUUID(), randomUUID()];
    const sql = (text: string, ...params: readonly unknown[]) => testDb().sql(text, params);
    await sql('insert into tenants (workspace_id) values ($1)', workspaceId);
    await sql(
      `insert into workflows (id, workspace_id, name, draft, created_by) values ($1, $2, 'W', '{}', 'user:x')`,
      workflowId,
      workspaceId,
    );
    await sql(
      `insert into workflow_hooks (id, workspace_id, workflow_id, node_id) values ($1, $2, $3, 'hook')`,
      hookId,
      workspaceId,
      workflowId,
    );
    const id = randomUUID();
    for (const { table, contextOf } of sealedColumns) {
      const box = ringOf(2).seal(`in ${table}`, contextOf({ id, workspaceId }));
      const more =
        table === 'hook_secrets'
          ? { columns: 'hook_id, kind, set_by', values: `'${hookId}', 'signing', 'user:x'` }
          : { columns: 'name, created_by, updated_by', values: `'TOKEN', 'user:x', 'user:x'` };
      await sql(
        `insert into ${table} (id, workspace_id, sealed, ${more.columns}) values ($1, $2, $3, ${more.values})`,
        id,
        workspaceId,
        box,
      );
    }
    const resealer = new Resealer(testDb().db, ringOf(3, 2));
    for (const column of sealedColumns) {
      await resealer.reseal('cell_1', column);
      const [row] = await testDb().sql<{ sealed: Buffer }>(
        `select ${column.column} as sealed from ${column.table} where id = $1`,
        [id],
      );
      const box = row?.sealed ?? Buffer.alloc(0);
      expect(box[0]).toBe(3);
      expect(ringOf(3).open(box, column.contextOf({ id, workspaceId }))).toBe(`in ${column.table}`);
    }
  });
});
