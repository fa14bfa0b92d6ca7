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

/** Purpose: whether a session goes on. Locks: none. Index: sessions_pkey. Rows: one or none. */
export const sessionHolds = statement<[id: string, now: Date | null], { readonly id: string }>(
  'session-holds',
  `select id from sessions where id = $1::uuid and expires_at > coalesce($2::timestamptz, now())`,
);

/** A session as the person it belongs to sees it. */
export interface ListedSessionRow {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly remember: boolean;
}

/**
 * Purpose: somebody's sessions that hold, newest first, from behind `before` on.
 * Locks: none. Index: sessions_user_id_idx. Rows: up to the limit.
 */
export const listSessions = statement<
  [userId: string, before: string | null, limit: number, now: Date | null],
  ListedSessionRow
>(
  'list-sessions',
  `select id, created_at as "createdAt", last_seen_at as "lastSeenAt", expires_at as "expiresAt", host(ip) as ip,
          user_agent as "userAgent", remember
     from sessions
    where user_id = $1::uuid and ($2::uuid is null or id < $2::uuid) and expires_at > coalesce($4::timestamptz, now())
    order by id desc limit $3::int`,
);

/** Purpose: ends a session of a person. Locks: the row. Index: sessions_pkey or sessions_user_id_idx. Rows: one or none. */
export const endSession = statement<[id: string, userId: string, now: Date | null], { readonly id: string }>(
  'end-session',
  `delete from sessions
    where id = $1::uuid and user_id = $2::uuid and expires_at > coalesce($3::timestamptz, now())
   returning id`,
);

/**
 * Purpose: ends every session of a person, but for one if so wanted.
 * Locks: the rows. Index: sessions_user_id_idx. Rows: as many as there are.
 */
export const endSessionsOf = statement<[userId: string, exceptId: string | null], { readonly id: string }>(
  'end-sessions-of-user',
  `delete from sessions where user_id = $1::uuid and id is distinct from $2::uuid returning id`,
);

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
