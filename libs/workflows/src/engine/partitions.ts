import { type Clock, type Db, type LoopDuty, statement } from '#platform';

/** A range of run ids that is kept, and one day dropped, as a whole. */
export interface Partition {
  /** `2026_11`: the month its runs were created in. */
  readonly suffix: string;
  readonly from: string;
  readonly to: string;
}

/** The least UUIDv7 of an instant: 48 bits of milliseconds, then zeros. */
export function leastId(at: Date): string {
  const hex = at.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** The months to have tables for: the current one and `ahead` more. */
export function partitionsFor(now: Date, ahead: number): readonly Partition[] {
  return Array.from({ length: ahead + 1 }, (_, offset) => {
    const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, 1));
    const to = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset + 1, 1));
    const month = String(from.getUTCMonth() + 1).padStart(2, '0');
    return { suffix: `${from.getUTCFullYear()}_${month}`, from: leastId(from), to: leastId(to) };
  });
}

const TABLES = [
  { name: 'workflow_runs', fillfactor: 85 },
  { name: 'workflow_node_runs', fillfactor: 95 },
  { name: 'workflow_run_events', fillfactor: 100 },
] as const;

const MONTHS_AHEAD = 2;

/** Purpose: whether a partition is there. Index: the catalogue's. */
const findPartition = statement<[name: string], { readonly found: boolean }>(
  'find-partition',
  'select to_regclass($1) is not null as found',
);

/**
 * Makes the tables of the coming months, so that retention can drop whole ones. Two processes may try at once: the
 * second one's `create` waits and then finds it there. A month whose runs have already gone into the default
 * partition stays there: PostgreSQL refuses the new one, and the loop says so without harm.
 */
export function partitionKeeper(db: Db, clock: Clock, cellId: string): LoopDuty {
  return {
    name: `partitions-${cellId}`,
    role: 'scheduler',
    everyMs: 3600_000,
    runOnce: async () => {
      let made = 0;
      for (const partition of partitionsFor(clock.now(), MONTHS_AHEAD)) {
        for (const table of TABLES) {
          const name = `${table.name}_${partition.suffix}`;
          const [known] = await db.execute(cellId, findPartition, name);
          if (known?.found) continue;
          await db.execute(cellId, createPartition(name, table, partition));
          made += 1;
        }
      }
      return { rows: made };
    },
  };
}

/** Data definition takes no parameters; every part of this text is made here, from a clock. */
function createPartition(name: string, table: (typeof TABLES)[number], { from, to }: Partition) {
  const policies = `
    alter table ${name} enable row level security;
    alter table ${name} force row level security;
    create policy tenant_isolation on ${name} to millrace_tenant
      using (workspace_id = nullif(current_setting('millrace.workspace_id', true), '')::uuid)
      with check (workspace_id = nullif(current_setting('millrace.workspace_id', true), '')::uuid);
    create policy owner_access on ${name} to millrace_owner using (true) with check (true);`;
  return statement<[], never>(
    `create-${name}`,
    `do $$ begin
       if to_regclass('${name}') is null then
         create table ${name} partition of ${table.name} for values from ('${from}') to ('${to}')
           with (fillfactor = ${table.fillfactor});
         ${policies}
       end if;
     exception when duplicate_table then null;
     end $$`,
  );
}
