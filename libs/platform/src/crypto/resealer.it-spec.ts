import { randomBytes, randomUUID } from 'node:crypto';
import { useTestDb } from '#platform/testing';
import { Db } from '../db/db';
import type { Statement } from '../db/statement';
import { SystemRandom } from '../ids/random';
import { KeyRing, type RingKey } from './key-ring';
import { Keys } from './keys';
import { Resealer, type SealedColumn } from './resealer';

const column: SealedColumn = {
  table: 'test_boxes',
  column: 'sealed',
  contextOf: ({ id, workspaceId }) => `test_boxes:${workspaceId}:${id}`,
};
const [two, three]: RingKey[] = [2, 3].map((id) => ({ id, key: randomBytes(32) })) as [RingKey, RingKey];
const keys = new Keys(Buffer.alloc(32, 7));
const ringOf = (...given: readonly RingKey[]) => new KeyRing(keys, given, new SystemRandom());

/** A database in which something else happens whenever boxes are about to be replaced. */
class BusyDb extends Db {
  meanwhile: () => Promise<unknown> = () => Promise.resolve();

  override async execute<P extends readonly unknown[], R>(
    cellId: string,
    statement: Statement<P, R>,
    ...params: P
  ): Promise<readonly R[]> {
    if (statement.name.startsWith('reseal-')) await this.meanwhile();
    return super.execute(cellId, statement, ...params);
  }
}

describe('Resealer', () => {
  const testDb = useTestDb({ cells: ['cell_2'] });
  let db: BusyDb;

  beforeEach(async () => {
    db = new BusyDb(testDb().db.cells, { namedStatements: true });
    for (const cell of ['cell_1', 'cell_2']) {
      await testDb().sql('drop table if exists test_boxes', [], cell);
      await testDb().sql(
        'create table test_boxes (id uuid primary key, workspace_id uuid not null, sealed bytea not null)',
        [],
        cell,
      );
    }
  });

  async function add(ring: KeyRing, text: string, cell = 'cell_1'): Promise<string> {
    const [id, workspaceId] = [randomUUID(), randomUUID()];
    const sealed = ring.seal(text, column.contextOf({ id, workspaceId }));
    await testDb().sql('insert into test_boxes values ($1, $2, $3)', [id, workspaceId, sealed], cell);
    return id;
  }

  async function opened(ring: KeyRing, cell = 'cell_1'): Promise<readonly string[]> {
    const rows = await testDb().sql<{ id: string; workspaceId: string; sealed: Buffer }>(
      'select id, workspace_id as "workspaceId", sealed from test_boxes',
      [],
      cell,
    );
    return rows.map((row) => ring.open(row.sealed, column.contextOf(row))).toSorted();
  }

  it('seals everything with the current key, batch by batch, so that the others can be taken out', async () => {
    const texts = Array.from({ length: 450 }, (_, i) => `text ${1_000 + i}`);
    for (const [i, text] of texts.entries()) await add(i % 2 === 0 ? ringOf() : ringOf(two, three), text);
    await add(ringOf(two), 'in another cell', 'cell_2');
    const resealer = new Resealer(db, ringOf(three, two));
    expect(await resealer.reseal('cell_1', column)).toMatchObject({ resealed: 450, unopened: [] });
    expect(await resealer.reseal('cell_2', column)).toMatchObject({ resealed: 1, unopened: [] });
    expect(await opened(ringOf(three))).toEqual(texts);
    expect(await opened(ringOf(three), 'cell_2')).toEqual(['in another cell']);
    expect(await resealer.reseal('cell_1', column)).toMatchObject({ resealed: 0, unopened: [] });
  });

  it('names what does not open, and goes on with the rest', async () => {
    const lost = await add(ringOf(two), 'sealed with a key that is gone');
    await add(ringOf(), 'still readable');
    const [moved] = await testDb().sql<{ id: string }>(
      'insert into test_boxes select gen_random_uuid(), workspace_id, sealed from test_boxes where id <> $1 returning id',
      [lost],
    );
    const { resealed, unopened } = await new Resealer(db, ringOf(three)).reseal('cell_1', column);
    expect([resealed, [...unopened].toSorted()]).toEqual([1, [lost, moved?.id ?? ''].toSorted()]);
  });

  // Seen to fail without `t.sealed = anew.before` in the statement: the value of before took the place of the new one.
  it('never takes back a value that is set while it works', async () => {
    const id = await add(ringOf(two), 'the value of before');
    await add(ringOf(two), 'another value');
    // A process that does not know the new key yet: what it seals is left for the next time.
    db.meanwhile = async () => {
      const [row] = await testDb().sql<{ workspaceId: string }>(
        'select workspace_id as "workspaceId" from test_boxes where id = $1',
        [id],
      );
      const context = column.contextOf({ id, workspaceId: row?.workspaceId ?? '' });
      await testDb().sql('update test_boxes set sealed = $2 where id = $1', [
        id,
        ringOf(two).seal('the value somebody set', context),
      ]);
    };
    const resealer = new Resealer(db, ringOf(three, two));
    expect(await resealer.reseal('cell_1', column)).toMatchObject({ resealed: 1, unopened: [] });
    expect(await opened(ringOf(three, two))).toEqual(['another value', 'the value somebody set']);
    db.meanwhile = () => Promise.resolve();
    expect(await resealer.reseal('cell_1', column)).toMatchObject({ resealed: 1, unopened: [] });
    expect(await opened(ringOf(three))).toEqual(['another value', 'the value somebody set']);
  });

  it('goes on where it was interrupted', async () => {
    for (let i = 0; i < 250; i += 1) await add(ringOf(two), `text ${100 + i}`);
    let batches = 0;
    db.meanwhile = async () => {
      batches += 1;
      if (batches === 2) throw new Error('The process died.');
    };
    const resealer = new Resealer(db, ringOf(three, two));
    await expect(resealer.reseal('cell_1', column)).rejects.toThrow('The process died.');
    db.meanwhile = () => Promise.resolve();
    expect(await resealer.reseal('cell_1', column)).toMatchObject({ resealed: 50 });
    expect(await opened(ringOf(three))).toHaveLength(250);
  });
});
