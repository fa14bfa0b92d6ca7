import type { Db, LoopResult } from '#platform';

/** Deletes a batch of what is past its time in one cell, and gives a row for each that is gone. */
type PurgeBatch = (cellId: string) => Promise<readonly unknown[]>;

/** A round of a purger: a batch of each kind in each cell, and another round while any of them was full. */
export async function purgeInCells(
  db: Db,
  batch: number,
  purges: readonly PurgeBatch[],
): Promise<LoopResult> {
  let [rows, again] = [0, false];
  for (const { id } of await db.cells.list()) {
    for (const purge of purges) {
      const { length } = await purge(id);
      rows += length;
      again ||= length === batch;
    }
  }
  return { rows, again };
}
