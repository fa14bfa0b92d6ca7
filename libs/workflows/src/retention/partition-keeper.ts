import type { Clock, Db, LoopDuty } from '#platform';
import { classTable, type HistoryTable, historyTables, periodTable } from './history-tables';
import { leastId, type Period, periodsToCome } from './periods';
import { listPartitions, once } from './partitions.sql';

/** A partition to make: where it hangs, what it takes, and which default partition has taken it meanwhile. */
interface Wanted {
  readonly name: string;
  readonly parent: string;
  readonly values: string;
  readonly fallback: string;
  /** Which rows of the fallback belong to it. */
  readonly mine: string;
  /** What follows the list of columns. */
  readonly kind: string;
  /** Made together with it, and nothing else. */
  readonly inner: string;
}

/** More rows than these are not moved under a lock. They stay in the default partition and are purged one by one. */
const MAX_MOVED = 20_000;
/** Statements that come meanwhile wait as long as we do: rather try again in the next round. */
const LOCK_TIMEOUT = '400ms';

/**
 * Makes the partitions of every class for the periods to come, so that retention can drop whole ones. What the default
 * partition has taken meanwhile moves to where it belongs, as long as it is little. However many processes do this at a
 * time: the second one waits for the default partition and then finds everything there.
 */
export function partitionKeeper(
  services: { readonly db: Db; readonly clock: Clock; readonly classes: () => readonly number[] },
  cellId: string,
): LoopDuty {
  const { db, clock, classes } = services;
  return {
    name: `partitions-${cellId}`,
    role: 'scheduler',
    everyMs: 3600_000,
    runOnce: async () => {
      const names = async () =>
        new Set((await db.execute(cellId, listPartitions, clock.pinned())).map(({ name }) => name));
      const before = await names();
      const missing = wantedPartitions(classes(), clock.now()).filter(({ name }) => !before.has(name));
      if (missing.length === 0) return { rows: 0 };
      for (const wanted of missing) await db.execute(cellId, makePartition(wanted));
      const after = await names();
      return { rows: missing.filter(({ name }) => after.has(name)).length };
    },
  };
}

/** All that should be there, each after what it hangs on. */
function wantedPartitions(classes: readonly number[], now: Date): readonly Wanted[] {
  return classes.flatMap((days) =>
    historyTables.flatMap((table) => [
      ofClass(table, days),
      ...periodsToCome(days, now).map((period) => ofPeriod(table, days, period)),
    ]),
  );
}

function ofClass(table: HistoryTable, days: number): Wanted {
  const name = classTable(table, days);
  return {
    name,
    parent: table.name,
    values: `in (${days})`,
    fallback: `${table.name}_default`,
    mine: `retention_days = ${days}`,
    kind: `partition by range (${table.id})`,
    inner: `create table ${name}_default partition of ${name} default with (fillfactor = ${table.fillfactor});
            ${policies(`${name}_default`)}`,
  };
}

function ofPeriod(table: HistoryTable, days: number, period: Period): Wanted {
  const parent = classTable(table, days);
  const [from, to] = [leastId(period.from), leastId(period.to)];
  return {
    name: periodTable(table, days, period),
    parent,
    values: `from ('${from}') to ('${to}')`,
    fallback: `${parent}_default`,
    mine: `${table.id} >= '${from}' and ${table.id} < '${to}'`,
    kind: `with (fillfactor = ${table.fillfactor})`,
    inner: '',
  };
}

/**
 * Data definition takes no parameters; every part of this text is made here, from a clock and the plans.
 * Locks: the parent and its default partition, against everybody, for as long as an empty table takes to make. Attaching
 * alone would do with less, but a statement that was being planned meanwhile would keep a plan without the new table, and
 * miss in it what has moved there.
 */
function makePartition({ name, parent, values, fallback, mine, kind, inner }: Wanted) {
  return once<[], unknown>(
    `make-${name}`,
    `do $$ begin
       perform set_config('lock_timeout', '${LOCK_TIMEOUT}', true);
       lock table only ${parent}, only ${fallback} in access exclusive mode;
       if to_regclass('${name}') is not null
          or (select count(*) from (select from ${fallback} where ${mine} limit ${MAX_MOVED + 1}) r) > ${MAX_MOVED} then
         return;
       end if;
       create table ${name} (like ${parent} including defaults including constraints) ${kind};
       ${policies(name)}
       ${inner}
       with moved as (delete from ${fallback} where ${mine} returning *) insert into ${name} select * from moved;
       alter table ${parent} attach partition ${name} for values ${values};
     exception when lock_not_available or undefined_table then null;
     end $$`,
  );
}

function policies(name: string): string {
  return `
    alter table ${name} enable row level security;
    alter table ${name} force row level security;
    create policy tenant_isolation on ${name} to millrace_tenant
      using (workspace_id = nullif(current_setting('millrace.workspace_id', true), '')::uuid)
      with check (workspace_id = nullif(current_setting('millrace.workspace_id', true), '')::uuid);
    create policy owner_access on ${name} to millrace_owner using (true) with check (true);`;
}
