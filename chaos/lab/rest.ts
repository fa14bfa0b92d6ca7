import { setTimeout as delay } from 'node:timers/promises';
import type { LabDatabase } from './lab-server';

/** Longer than the longest delay of a graph, two leases and a worker's start together. */
const STILL_MS = 20_000;
const LOOK_MS = 250;

interface Standing {
  readonly left: number;
  readonly lastWrite: number;
}

/**
 * Waits until the queue is empty; or until nothing has been written for so long that nothing will be: what is left then
 * is stuck.
 */
export async function comeToRest(database: LabDatabase): Promise<void> {
  let seen = -1;
  let movedAtMs = Date.now();
  for (;;) {
    const [now] = await database.rows<Standing>(`
      select (select count(*)::int from run_queue) as left,
             coalesce((select max(seq) from lab.writes), 0)::float8 as "lastWrite"`);
    if (!now || now.left === 0) return;
    if (now.lastWrite !== seen) {
      seen = now.lastWrite;
      movedAtMs = Date.now();
    } else if (Date.now() - movedAtMs > STILL_MS) return;
    await delay(LOOK_MS);
  }
}
