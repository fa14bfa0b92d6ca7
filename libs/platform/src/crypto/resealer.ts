import type { Db } from '../db/db';
import { type Statement, statement } from '../db/statement';
import type { KeyRing } from './key-ring';
import { SecretBoxError } from './secret-box';

/** A column whose values the key ring has sealed, in a table of the cells with the columns `id` and `workspace_id`. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** Where the box of a row lies, as it was said when it was sealed. */
  contextOf(row: { readonly id: string; readonly workspaceId: string }): string;
}

/** What became of the boxes of one column in one cell. */
export interface Resealed {
  readonly cellId: string;
  readonly table: string;
  /** Sealed anew with the current key. */
  readonly resealed: number;
  /** Ids of rows whose boxes no key of the ring opens. */
  readonly unopened: readonly string[];
}

interface SealedRow {
  readonly id: string;
  readonly workspaceId: string;
  readonly sealed: Buffer;
}

interface ColumnStatements {
  readonly read: Statement<[afterId: string, currentKey: number], SealedRow>;
  readonly replace: Statement<
    [ids: readonly string[], before: readonly Buffer[], after: readonly Buffer[]],
    { readonly id: string }
  >;
}

const BATCH_ROWS = 200;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Seals anew what is not sealed with the current key, so that older keys can be taken out of the ring. Processes go on
 * meanwhile: a box is replaced only where it is still the one that was opened, so a value that somebody sets at the same
 * time stays. What was done stays done when it is interrupted, and the next time there is nothing left to do.
 */
export class Resealer {
  constructor(
    private readonly db: Db,
    private readonly ring: KeyRing,
  ) {}

  /** Goes through a column of a cell. */
  async reseal(cellId: string, column: SealedColumn): Promise<Resealed> {
    const { read, replace } = statementsOf(column);
    const unopened: string[] = [];
    let resealed = 0;
    for (let afterId = FIRST_ID; ;) {
      const rows = await this.db.execute(cellId, read, afterId, this.ring.currentId);
      const opened = rows.flatMap((row) => this.#sealedAnew(row, column) ?? []);
      const [ids, before] = [opened.map(({ id }) => id), opened.map(({ sealed }) => sealed)];
      const after = opened.map((row) => row.anew);
      if (ids.length > 0) resealed += (await this.db.execute(cellId, replace, ids, before, after)).length;
      const known = new Set(ids);
      unopened.push(...rows.filter(({ id }) => !known.has(id)).map(({ id }) => id));
      const last = rows.at(-1);
      if (last === undefined) return { cellId, table: column.table, resealed, unopened };
      afterId = last.id;
    }
  }

  #sealedAnew(row: SealedRow, column: SealedColumn): (SealedRow & { readonly anew: Buffer }) | null {
    const context = column.contextOf(row);
    try {
      return { ...row, anew: this.ring.seal(this.ring.open(row.sealed, context), context) };
    } catch (error) {
      if (error instanceof SecretBoxError) return null;
      throw error;
    }
  }
}

function statementsOf({ table, column }: SealedColumn): ColumnStatements {
  return { read: dueStatement(table, column), replace: replaceStatement(table, column) };
}

/**
 * Purpose: boxes that another than the current key has sealed; a box begins with the number of its key. Locks: none.
 * Index: the table's primary key. Rows: one batch.
 */
function dueStatement(table: string, column: string): ColumnStatements['read'] {
  return statement(
    `read-sealed-${table.replaceAll('_', '-')}-${column}`,
    `select id, workspace_id as "workspaceId", ${column} as sealed from ${table}
      where id > $1::uuid and get_byte(${column}, 0) <> $2::integer order by id limit ${BATCH_ROWS}`,
  );
}

/**
 * Purpose: puts boxes in place of those that were opened. One that was replaced meanwhile stays. Locks: the rows it
 * changes; a deadlock with whoever holds several of them is tried again. Index: the table's primary key. Rows: one batch.
 */
function replaceStatement(table: string, column: string): ColumnStatements['replace'] {
  return statement(
    `reseal-${table.replaceAll('_', '-')}-${column}`,
    `update ${table} t set ${column} = anew.after
       from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as anew (id, before, after)
      where t.id = anew.id and t.${column} = anew.before
      returning t.id`,
  );
}
