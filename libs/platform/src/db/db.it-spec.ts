import { barrier, useTestDb } from '#platform/testing';
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

  it('tries a transaction again that lost a deadlock, and gives its hints once', async () => {
    const [one, two] = [await place('cell_1'), await place('cell_1')];
    const lock = statement<[id: string]>(
      'test-lock-tenant',
      'select from tenants where workspace_id = $1::uuid for update',
    );
    const bothHoldOne = barrier(2);
    const attempts = { first: 0, second: 0 };
    const told: string[] = [];
    const crossing = (name: 'first' | 'second', [held, wanted]: readonly [string, string]) =>
      testDb().db.cell('cell_1', async (tx) => {
        attempts[name] += 1;
        tx.afterCommit(() => told.push(name));
        await tx.query(lock, held);
        if (attempts[name] === 1) await bothHoldOne();
        await tx.query(lock, wanted);
      });
    // Seen to fail with "deadlock detected" when Db makes one attempt only.
    await Promise.all([crossing('first', [one, two]), crossing('second', [two, one])]);
    expect(attempts.first + attempts.second).toBe(3);
    expect(told.toSorted((a, b) => a.localeCompare(b))).toEqual(['first', 'second']);
  });

  it('does not try again what failed for another reason', async () => {
    let attempts = 0;
    const failing = testDb().db.control((tx) => {
      attempts += 1;
      return tx.query(statement<[], never>('test-divide', 'select 1 / 0'));
    });
    await expect(failing).rejects.toThrow('division by zero');
    expect(attempts).toBe(1);
  });
});
