import type { Clock, Db, LoopDuty } from '#platform';
import { listPartitions, once } from './partitions.sql';
import { removeFinished } from './remove-runs';

/** Rows of one look, of which the expired ones are removed. */
const BATCH = 200;
/** Looks of one round. */
const LOOKS = 20;

interface Place {
  readonly days: number;
  readonly id: string;
}

const START: Place = { days: 0, id: '00000000-0000-0000-0000-000000000000' };

/**
 * Purges what no dropped partition takes along: runs in the default partitions, which are those that outlived their
 * period, and those that came while their partition was missing. Row by row, slowly; from round to round it goes on where
 * it stopped, and begins anew at the end.
 */
export function strayPurger(
  { db, clock }: { readonly db: Db; readonly clock: Clock },
  cellId: string,
): LoopDuty {
  const places = new Map<string, Place>();
  return {
    name: `history-strays-${cellId}`,
    role: 'scheduler',
    everyMs: 60_000,
    runOnce: async () => {
      let rows = 0;
      const tables = (await db.execute(cellId, listPartitions, clock.pinned()))
        .map(({ name }) => name)
        .filter((name) => /^workflow_runs_(\d+d_)?default$/.test(name));
      for (const table of tables) {
        for (let look = 0; look < LOOKS; look += 1) {
          const from = places.get(table) ?? START;
          const seen = await db.execute(cellId, lookAt(table), from.days, from.id, clock.pinned());
          const expired = seen.filter((run) => run.expired);
          rows += (await removeFinished({ db, cellId }, expired, 'retention')).length;
          const last = seen.at(-1);
          places.set(
            table,
            last && seen.length === BATCH ? { days: last.retentionDays, id: last.runId } : START,
          );
          if (seen.length < BATCH) break;
        }
      }
      return { rows };
    },
  };
}

function lookAt(table: string) {
  return once<
    [days: number, id: string, now: Date | null],
    { readonly runId: string; readonly retentionDays: number; readonly expired: boolean }
  >(
    `look-at-${table}`,
    `select id as "runId", retention_days as "retentionDays",
            coalesce(finished_at < coalesce($3::timestamptz, now()) - make_interval(days => retention_days), false) as expired
       from ${table} where (retention_days, id) > ($1::smallint, $2::uuid)
      order by retention_days, id limit ${BATCH}`,
  );
}
