import { type Statement, statement } from '#platform';

/** Purpose: the partitions there are, and the database's time. Index: the catalogue's. Rows: some dozens for each class. */
export const listPartitions = statement<[now: Date | null], { readonly name: string; readonly now: Date }>(
  'list-partitions',
  `select relname as name, coalesce($1::timestamptz, now()) as now from pg_class
    where relnamespace = current_schema()::regnamespace and relispartition and relkind in ('r', 'p')
    order by relname`,
);

/** A text for one table, made from names of ours: no statement of the product, which are all known beforehand. */
export function once<P extends readonly unknown[], R>(name: string, text: string): Statement<P, R> {
  return { name, text };
}

/** Purpose: what waits for a lock gives up soon: whoever comes after it would wait as long. Until the transaction's end. */
export const hurry = statement<[], unknown>(
  'give-up-locks-soon',
  `select set_config('lock_timeout', '400ms', true), set_config('millrace.locked', '', true)`,
);

/** Purpose: whether the locks of `lockOrNot` are held. */
export const isLocked = statement<[], { readonly locked: boolean }>(
  'have-locks',
  `select current_setting('millrace.locked') = 'yes' as locked`,
);

/**
 * Purpose: locks tables, or none of them when somebody has one for longer than the timeout, or one is gone. The setting
 * tells, since it falls back with the block.
 */
export function lockOrNot(name: string, tables: readonly string[]): Statement<[], unknown> {
  return once(
    `lock-${name}`,
    `do $$ begin
       lock table ${tables.join(', ')} in access exclusive mode;
       perform set_config('millrace.locked', 'yes', true);
     exception when lock_not_available or undefined_table then null;
     end $$`,
  );
}
