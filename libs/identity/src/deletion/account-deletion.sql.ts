import { statement } from '#platform';

/** How much of identity's own a person leaves behind. */
export interface OwnCounts {
  readonly sessions: number;
  readonly apiKeys: number;
}

/**
 * Purpose: what of a person's is ended or revoked with the account. Locks: none.
 * Index: sessions_user_id_idx, api_keys_created_by_idx. Rows: one.
 */
export const countOwn = statement<[userId: string, now: Date | null], OwnCounts>(
  'count-own-of-user',
  `select (select count(*)::int from sessions
            where user_id = $1::uuid and expires_at > coalesce($2::timestamptz, now())) as sessions,
          (select count(*)::int from api_keys where created_by = $1::uuid and revoked_at is null) as "apiKeys"`,
);

/**
 * Purpose: takes an account away with all that is its alone; the keys of the tables see to the rest. Zero rows: it is
 * gone already. Locks: the person, then what refers to them. Index: users_pkey. Rows: one or none.
 */
export const deleteUser = statement<[userId: string], { readonly email: string; readonly name: string }>(
  'delete-user',
  `delete from users where id = $1::uuid returning email, name`,
);

/** Purpose: the record that an account was deleted. It names nobody. Index: account_deletions_pkey. Rows: one. */
export const recordDeletion = statement<
  [id: string, userId: string, counts: string, ip: string | null, userAgent: string | null, now: Date | null]
>(
  'record-account-deletion',
  `insert into account_deletions (id, user_id, counts, ip, user_agent, at)
   values ($1::uuid, $2::uuid, $3::jsonb, $4::inet, $5::text, coalesce($6::timestamptz, now()))`,
);
