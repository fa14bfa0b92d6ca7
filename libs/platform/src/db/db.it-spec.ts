import { useTestDb } from '#platform/testing';
import { statement } from './statement';
import { randomUUID } from 'node:crypto';

const whoAmI = statement<[], { role: string; workspace: string; path: string }>(
  'test-who-am-i',
  `select current_user as role, current_setting('millrace.workspace_id', true) as workspace, current_setting('search_path') as path`,
);
const anchors = statement<[], { id: string }>('test-anchors', `select workspace_id as id from tenants`);

describe('Db', () => {
  const testDb = useTestDb({ cells: ['cell_2'] });

  async function place(cellId: string): Promise<string> {
    const id = randomUUID();
    await testDb().sql('insert into tenants (workspace_id) values ($1)', [id], cellId);
    await testDb().sql('insert into workspace_directory (workspace_id, cell_id) values ($1, $2)', [
      id,
      cellId,
    ]);
    return id;
  }

  it('runs a tenant transaction as the tenant role in the cell of the workspace', async () => {
    const id = await place('cell_2');
    const [row] = await testDb().db.tenant(id, (tx) => tx.query(whoAmI));
    expect(row).toEqual({ role: 'millrace_tenant', workspace: id, path: 'cell_2,control' });
  });

  it('shows a tenant its own rows only, and the owner all', async () => {
    const mine = await place('cell_1');
    const other = await place('cell_1');
    const seen = await testDb().db.tenant(mine, (tx) => tx.query(anchors));
    expect(seen).toEqual([{ id: mine }]);
    const all = await testDb().db.cell('cell_1', (tx) => tx.query(anchors));
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining([mine, other]));
  });

  it('leaves nothing of the tenant on the connection after the transaction', async () => {
    const id = await place('cell_1');
    await testDb().db.tenant(id, (tx) => tx.query(whoAmI));
    const [row] = await testDb().db.control((tx) => tx.query(whoAmI));
    expect(row?.role).not.toBe('millrace_tenant');
    expect(row?.workspace ?? '').toBe('');
  });

  it('gives hints after the commit and none after a rollback', async () => {
    const told: string[] = [];
    await testDb().db.control(async (tx) => tx.afterCommit(() => told.push('committed')));
    const rolledBack = testDb().db.control(async (tx) => {
      tx.afterCommit(() => told.push('rolled back'));
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    expect(told).toEqual(['committed']);
  });
});
