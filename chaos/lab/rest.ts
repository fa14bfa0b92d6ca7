import { setTimeout as delay } from 'node:timers/promises';
import type { LabDatabase } from './lab-server';

/** Longer than the longest delay of a graph, two leases and a worker's start together. */
const STILL_MS = 20_000;
/** Longer than any run takes, whatever was done to it: runs that are worked on and never end go round in circles. */
const CIRCLES_MS = 90_000;
const LOOK_MS = 250;

interface Standing {
  readonly left: number;
  readonly lastWrite: number;
}

/**
 * Waits until the queue is empty; or until nothing has been written, or no run has left it, for so long that nothing will
 * be and none will: what is left then is stuck.
 */
export async function comeToRest(database: LabDatabase): Promise<void> {
  let seen: Standing = { left: Infinity, lastWrite: -1 };
  let [movedAtMs, leftAtMs] = [Date.now(), Date.now()];
  for (;;) {
    const [now] = await database.rows<Standing>(`
      select (select count(*)::int from run_queue) as left,
             coalesce((select max(seq) from lab.writes), 0)::float8 as "lastWrite"`);
    if (!now || now.left === 0) return;
    if (now.lastWrite !== seen.lastWrite) movedAtMs = Date.now();
    if (now.left < seen.left) leftAtMs = Date.now();
    seen = now;
    if (Date.now() - movedAtMs > STILL_MS || Date.now() - leftAtMs > CIRCLES_MS) return;
    await delay(LOOK_MS);
  }
}
