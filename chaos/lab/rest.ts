import { eventually } from '#platform/testing';
import { setTimeout as delay } from 'node:timers/promises';
import type { LabDatabase } from './lab-server';
import type { Customer } from './customers';

/** Longer than the longest delay of a graph, two leases and a worker's start together. */
const STILL_MS = 20_000;
const LOOK_MS = 250;

interface Standing {
  readonly left: number;
  readonly lastWrite: number;
}

/**
 * Waits until the queue is empty; or until nothing has been written for so long that nothing will be: what is left then
 * is stuck. Runs that wait for a person's decision are given one: they are canceled.
 */
export async function comeToRest(database: LabDatabase, customers: readonly Customer[]): Promise<void> {
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
    } else if (Date.now() - movedAtMs > STILL_MS) {
      if ((await decide(database, customers)) === 0) return;
      movedAtMs = Date.now();
    }
    await delay(LOOK_MS);
  }
}

/** Decides what runs ask a person: they are to stop. Gives how many there were. */
async function decide(database: LabDatabase, customers: readonly Customer[]): Promise<number> {
  const left = await database.rows<{ runId: string; workspaceId: string }>(
    'select run_id as "runId", workspace_id as "workspaceId" from run_queue',
  );
  let decided = 0;
  for (const { runId, workspaceId } of left) {
    const customer = customers.find(({ account }) => account.workspaceId === workspaceId);
    if (!customer) continue;
    const { api, home } = customer.account;
    // The first request on a connection that was cut meanwhile fails; nothing moves, so it may be asked again.
    const { body } = await eventually(() => api.get(`${home}/runs/${runId}`));
    if (body?.status !== 'needs_decision') continue;
    await api.post(`${home}/runs/${runId}/cancel`);
    decided += 1;
  }
  return decided;
}
