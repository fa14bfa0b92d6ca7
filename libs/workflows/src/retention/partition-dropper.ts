import { type Clock, type Db, type Logger, type LoopDuty, statement, type Tx } from '#platform';
import { historyMetrics } from './history-metrics';
import { classTable, type HistoryTable, historyTables, periodTable } from './history-tables';
import { expiryOf, leastId, type Period, periodOf } from './periods';
import { hurry, isLocked, listPartitions, lockOrNot, once } from './partitions.sql';

/** More runs than these are not moved under a lock: their period waits until fewer of them are left. */
const MAX_MOVED = 2_000;
/** A period is looked through in so many parts, so that no statement takes long. */
const PARTS = 32;

/** A period of a class whose tables may go. */
interface Due {
  readonly days: number;
  readonly period: Period;
  /** Finished runs that ended before this go. */
  readonly expiry: Date;
}

/** What is in its tables. */
interface Contents {
  readonly runs: number;
  /** Runs that are not over, or ended too recently. */
  readonly kept: readonly string[];
}

/**
 * Drops the tables of periods whose time is over: for a class of thirty days, the week that ended thirty days ago. Time is
 * counted from a run's end, so the few that are not over, or ended recently, move to the default partition of their class
 * in the same transaction, and are purged there when their own time comes.
 *
 * Whatever process does this, and wherever it dies: a period goes whole or not at all. Who is to be kept is found out
 * before anything is locked; meanwhile a run may end, but none begins, since the period is long past.
 */
export function partitionDropper(
  services: { readonly db: Db; readonly clock: Clock; readonly logger: Logger },
  cellId: string,
): LoopDuty {
  const { db, clock } = services;
  const logger = services.logger.scoped('retention', { cell: cellId });
  return {
    name: `history-drop-${cellId}`,
    role: 'scheduler',
    everyMs: 3600_000,
    runOnce: async (signal) => {
      let rows = 0;
      for (const due of dueOf(await db.execute(cellId, listPartitions, clock.pinned()))) {
        if (signal.aborted) break;
        const contents = await contentsOf(db, cellId, due);
        if (contents.kept.length > MAX_MOVED) {
          logger.info('a period stays for the runs that are not over', {
            ...told(due),
            kept: contents.kept.length,
          });
          continue;
        }
        // Whoever waits behind our lock has waited long enough; the other periods have time, too.
        if (!(await db.cell(cellId, (tx) => drop(tx, due, contents)))) break;
        const removed = contents.runs - contents.kept.length;
        historyMetrics.partitionsDropped.inc();
        historyMetrics.removed.inc({ reason: 'retention' }, removed);
        logger.info('a period of history was dropped', { ...told(due), removed, kept: contents.kept.length });
        rows += removed;
      }
      return { rows };
    },
  };
}

function told({ days, period }: Due) {
  return { retentionDays: days, from: period.from.toISOString(), to: period.to.toISOString() };
}

/** By the tables there are, not by the plans: a class that no plan has any more ends as well. */
function dueOf(partitions: readonly { readonly name: string; readonly now: Date }[]): readonly Due[] {
  return partitions.flatMap(({ name, now }) => {
    const [, days, year, month, day] = /^workflow_runs_(\d+)d_(\d{4})(\d{2})(\d{2})$/.exec(name) ?? [];
    if (days === undefined) return [];
    const period = periodOf(Number(days), new Date(`${year}-${month}-${day}T00:00:00Z`));
    const expiry = expiryOf(Number(days), now);
    return period.to <= expiry ? [{ days: Number(days), period, expiry }] : [];
  });
}

/**
 * Purpose: how many runs a part of a period has, and which of them are to be kept. Locks: none.
 * Index: workflow_runs_pkey of one partition. Rows: one.
 */
const lookThrough = statement<
  [days: number, from: string, to: string, expiry: Date],
  { readonly runs: number; readonly kept: readonly string[] }
>(
  'look-through-period',
  `select count(*)::int as runs,
          coalesce(array_agg(id) filter (where outcome is null or finished_at >= $4::timestamptz), '{}') as kept
     from workflow_runs where retention_days = $1::smallint and id >= $2::uuid and id < $3::uuid`,
);

async function contentsOf(db: Db, cellId: string, { days, period, expiry }: Due): Promise<Contents> {
  let runs = 0;
  const kept: string[] = [];
  const [fromMs, toMs] = [period.from.getTime(), period.to.getTime()];
  const at = (part: number) => leastId(new Date(fromMs + Math.floor(((toMs - fromMs) * part) / PARTS)));
  for (let part = 0; part < PARTS && kept.length <= MAX_MOVED; part += 1) {
    const [found] = await db.execute(cellId, lookThrough, days, at(part), at(part + 1), expiry);
    runs += found?.runs ?? 0;
    kept.push(...(found?.kept ?? []));
  }
  return { runs, kept };
}

/** Purpose: forgets what a period took up. Index: none; it is seldom. Rows: one for each workspace with runs in it. */
const forgetTally = statement<[days: number, from: Date], unknown>(
  'forget-tally-of-period',
  `delete from workspace_history where retention_days = $1::smallint and period_start = $2::timestamptz`,
);

/** False when somebody has the tables, or has dropped them already: the next round sees. */
async function drop(tx: Tx, { days, period }: Due, { kept }: Contents): Promise<boolean> {
  const named = historyTables.map((table) => ({ table, name: periodTable(table, days, period) }));
  await tx.query(hurry);
  await tx.query(
    lockOrNot(
      `${days}d-${period.from.getTime()}`,
      // What is read through its parent holds all of these; only the parents themselves, not each period below them.
      named.flatMap(({ table, name }) => [
        `only ${classTable(table, days)}`,
        `${classTable(table, days)}_default`,
        name,
      ]),
    ),
  );
  const [lock] = await tx.query(isLocked);
  if (!lock?.locked) return false;
  for (const { table, name } of named) {
    await tx.query(once(`detach-${name}`, `alter table ${classTable(table, days)} detach partition ${name}`));
  }
  if (kept.length > 0) for (const { table, name } of named) await tx.query(moveOf(table, name), kept);
  for (const { name } of named) await tx.query(once(`drop-${name}`, `drop table ${name}`));
  await tx.query(forgetTally, days, period.from);
  return true;
}

function moveOf({ name, id }: HistoryTable, from: string) {
  return once<[kept: readonly string[]], unknown>(
    `move-out-of-${from}`,
    `insert into ${name} select * from ${from} where ${id} = any ($1::uuid[])`,
  );
}
