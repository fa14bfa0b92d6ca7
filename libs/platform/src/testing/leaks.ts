import type { Client } from 'pg';

/** Pretended processes that have not been stopped: their loops may still run. */
const unstopped = new Map<object, () => readonly string[]>();

/** Remembers a pretended process until the function it returns is called. `loops` names what may still run. */
export function noteProcess(loops: () => readonly string[]): () => void {
  const process = {};
  unstopped.set(process, loops);
  return () => unstopped.delete(process);
}

/**
 * What tests have left behind once they are over: processes that were not stopped, and on the file's database open
 * transactions, advisory locks, and the leases that `leases` lists (SQL giving `leak`, asked in each search path).
 */
export async function leaksOf(
  admin: Client,
  database: string,
  leases: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const sessions = await admin.query<{ leak: string }>(
    `select 'transaction open (' || state || '): ' || left(query, 200) as leak
       from pg_stat_activity where datname = $1 and state like 'idle in transaction%'
     union all
     select 'advisory lock held by pid ' || l.pid
       from pg_locks l join pg_database d on d.oid = l.database
      where d.datname = $1 and l.locktype = 'advisory'`,
    [database],
  );
  const running = [...unstopped.values()].map(
    (loops) => `loops not stopped: ${loops().join(', ') || 'none begun'}`,
  );
  return [...running, ...sessions.rows.map(({ leak }) => leak), ...(await leases())];
}
