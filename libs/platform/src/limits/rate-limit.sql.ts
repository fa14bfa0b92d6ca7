import { statement } from '../db/statement';

/**
 * Purpose: takes `count` from the budget of a key, or nothing when less is left; says which, and when the budget is
 * whole again. The generic cell rate algorithm: `clear_at` moves ahead by window / limit for each that is taken, and may
 * be at most a window ahead of now (the thousandth of a second forgives the rounding of the steps). One row, whose lock
 * makes all processes take turns: exactly `limit` pass at once, then one with every step. No row back: a first take of
 * another transaction, begun after this statement, used the whole budget; or more than the limit is asked for.
 * Locks: the row. Index: rate_limits_pkey. Rows: one or none.
 */
export const takeFromBudget = statement<
  [key: Buffer, policy: string, limit: number, windowSeconds: number, now: Date | null, count: number],
  { readonly taken: boolean; readonly clearSeconds: number }
>(
  'take-from-rate-limit',
  `with at as (
     select coalesce($5::timestamptz, now()) as now, make_interval(secs => $4::float8 * $6::int / $3::int) as step,
            make_interval(secs => $4::float8 + 0.001) as reach),
   taken as (
     insert into rate_limits as r (key, policy, clear_at) select $1::bytea, $2::text, at.now + at.step from at
      where at.step <= at.reach
     on conflict (key) do update
       set clear_at = greatest(r.clear_at, (select now from at)) + (select step from at)
       where greatest(r.clear_at, (select now from at)) + (select step from at) <= (select now + reach from at)
     returning clear_at)
   select true as taken, extract(epoch from taken.clear_at - at.now)::float8 as "clearSeconds" from taken, at
   union all
   select false, extract(epoch from r.clear_at - at.now)::float8 from rate_limits r, at
    where r.key = $1::bytea and not exists (select from taken)`,
);

/** Purpose: gives a key its whole budget back. Locks: the row. Index: rate_limits_pkey. Rows: one or none. */
export const restoreBudget = statement<[key: Buffer]>(
  'restore-rate-limit',
  `delete from rate_limits where key = $1::bytea`,
);

/**
 * Purpose: forgets budgets that are whole again, a batch at a time; two purges share the work.
 * Locks: the rows, skipping locked ones. Index: rate_limits_clear_at_idx, rate_limits_pkey. Rows: up to the limit.
 */
export const purgeBudgets = statement<[limit: number, now: Date | null], { readonly policy: string }>(
  'purge-rate-limits',
  `delete from rate_limits where key = any (array(
     select key from rate_limits where clear_at <= coalesce($2::timestamptz, now())
      order by clear_at limit $1::int for update skip locked))
   returning policy`,
);
