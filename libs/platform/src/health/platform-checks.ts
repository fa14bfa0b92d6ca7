import { CONTROL_SCHEMA } from '../db/data-source';
import type { Db } from '../db/db';
import type { Migrations } from '../db/migrator';
import { statement } from '../db/statement';
import type { LoopBeat } from '../loops/loop';
import type { HealthCheck } from './health-checks';

/** Purpose: is anybody there. Locks: none. Rows: one. */
const ping = statement<[], { readonly one: number }>('health-ping', `select 1 as one`);

/** Purpose: migrations the control schema has had. Locks: none. Rows: tens. */
const controlMigrations = statement<[], { readonly name: string }>(
  'health-control-migrations',
  `select name from ${CONTROL_SCHEMA}.migrations`,
);

/** Purpose: migrations the connection's cell has had: its schema comes first in the search path. Locks: none. Rows: tens. */
const cellMigrations = statement<[], { readonly name: string }>(
  'health-cell-migrations',
  `select name from migrations`,
);

/** Up when every cell's database answers. */
export function databaseCheck(db: Db): HealthCheck {
  return async () => {
    for (const { id } of await db.cells.list()) await db.execute(id, ping);
    return { status: 'up' };
  };
}

/** Up when the control schema and every cell have had all migrations this code knows. A yes is not asked for again. */
export function migrationsCheck(db: Db, migrations: Migrations): HealthCheck {
  let wasAtHead = false;
  return async () => {
    wasAtHead ||= await isAtHead(db, migrations);
    if (wasAtHead) return { status: 'up' };
    return { status: 'down', detail: 'The schema is behind this version: run npm run migrate.' };
  };
}

async function isAtHead(db: Db, { control, cell }: Migrations): Promise<boolean> {
  if (!hasAll(await db.executeControl(controlMigrations), control)) return false;
  for (const { id } of await db.cells.list()) {
    if (!hasAll(await db.execute(id, cellMigrations), cell)) return false;
  }
  return true;
}

function hasAll(
  applied: readonly { readonly name: string }[],
  wanted: readonly { readonly name: string }[],
): boolean {
  const names = new Set(applied.map(({ name }) => name));
  return wanted.every(({ name }) => names.has(name));
}

/** Up while no loop of this process hangs. A loop that fails is down nowhere: another process would fail as well. */
export function loopsCheck(loops: { beats(): readonly LoopBeat[] }): HealthCheck {
  return async () => {
    const overdue = loops.beats().filter((beat) => beat.overdue);
    if (overdue.length === 0) return { status: 'up' };
    return {
      status: 'down',
      detail: `Loops without a pulse: ${overdue.map(({ name }) => name).join(', ')}.`,
    };
  };
}
