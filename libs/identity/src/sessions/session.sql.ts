import { statement } from '#platform';

/** A session that holds, and whether it is time to note that it was seen. */
export interface SessionRow {
  readonly id: string;
  readonly userId: string;
  readonly seenLongAgo: boolean;
}

/** Purpose: begins a session. Index: sessions_pkey, sessions_token_hash_key. Rows: one. */
export const startSession = statement<
  [
    id: string,
    userId: string,
    tokenHash: Buffer,
    remember: boolean,
    days: number,
    ip: string | null,
    userAgent: string | null,
    now: Date | null,
  ],
  { readonly expiresAt: Date }
>(
  'start-session',
  `insert into sessions (id, user_id, token_hash, remember, ip, user_agent, created_at, last_seen_at, expires_at)
   select $1::uuid, $2::uuid, $3::bytea, $4::boolean, $6::inet, $7::text,
          at.now, at.now, at.now + make_interval(days => $5::int)
     from (select coalesce($8::timestamptz, now()) as now) at
   returning expires_at as "expiresAt"`,
);

/**
 * Purpose: who holds a token; nobody once it has expired. Runs with every request of a person.
 * Locks: none. Index: sessions_token_hash_key. Rows: one.
 */
export const findSession = statement<[tokenHash: Buffer, now: Date | null], SessionRow>(
  'find-session',
  `select id, user_id as "userId",
          last_seen_at <= coalesce($2::timestamptz, now()) - interval '1 minute' as "seenLongAgo"
     from sessions
    where token_hash = $1::bytea and expires_at > coalesce($2::timestamptz, now())`,
);

/**
 * Purpose: notes that a session was seen, at most once a minute: the guard makes parallel requests write once.
 * Locks: the row. Index: sessions_pkey. Rows: one or none.
 */
export const touchSession = statement<[id: string, now: Date | null]>(
  'touch-session',
  `update sessions set last_seen_at = coalesce($2::timestamptz, now())
    where id = $1::uuid and last_seen_at <= coalesce($2::timestamptz, now()) - interval '1 minute'`,
);

/** Purpose: ends a session. Locks: the row. Index: sessions_pkey. Rows: one or none. */
export const endSession = statement<[id: string]>('end-session', `delete from sessions where id = $1::uuid`);

/**
 * Purpose: removes sessions that nobody can use any more, a batch at a time; two purges share the work. An array, not
 * `in`: the planner does not know the limit and would join, reading the whole table.
 * Locks: the rows, skipping locked ones. Index: sessions_expires_at_idx, sessions_pkey. Rows: up to the limit.
 */
export const purgeSessions = statement<[limit: number, now: Date | null], { readonly id: string }>(
  'purge-sessions',
  `delete from sessions where id = any (array(
     select id from sessions where expires_at <= coalesce($2::timestamptz, now())
      order by expires_at limit $1::int for update skip locked))
   returning id`,
);
