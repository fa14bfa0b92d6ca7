import { statement } from '#platform';

/** What a token may be used for; each purpose has its own, so one mailed for this cannot do that. */
export type TokenPurpose = 'verify_email' | 'reset_password' | 'delete_account' | 'second_factor';

/** A token that holds, or held until it was used just now. */
export interface UserTokenRow {
  readonly userId: string;
  /** The address it proves; null unless that is its purpose. */
  readonly email: string | null;
  readonly context: unknown;
  readonly expiresAt: Date;
}

/** Purpose: a token for one person and one purpose. Index: user_tokens_pkey. Rows: one. */
export const issueToken = statement<
  [
    tokenHash: Buffer,
    userId: string,
    purpose: TokenPurpose,
    email: string | null,
    context: string | null,
    lifetimeMinutes: number,
    now: Date | null,
  ],
  { readonly expiresAt: Date }
>(
  'issue-user-token',
  `insert into user_tokens (token_hash, user_id, purpose, email, context, created_at, expires_at)
   select $1::bytea, $2::uuid, $3::text, $4::text, $5::jsonb, at.now, at.now + make_interval(mins => $6::int)
     from (select coalesce($7::timestamptz, now()) as now) at
   returning expires_at as "expiresAt"`,
);

/**
 * Purpose: uses a token. The guard on `used_at` is what makes it single: a second request waits on the row, then finds
 * it used. Zero rows: unknown, used, expired, or for another purpose. Locks: the row. Index: user_tokens_pkey.
 * Rows: one or none.
 */
export const useToken = statement<[tokenHash: Buffer, purpose: TokenPurpose, now: Date | null], UserTokenRow>(
  'use-user-token',
  `update user_tokens set used_at = coalesce($3::timestamptz, now())
    where token_hash = $1::bytea and purpose = $2::text and used_at is null
      and expires_at > coalesce($3::timestamptz, now())
   returning user_id as "userId", email, context, expires_at as "expiresAt"`,
);

/** Purpose: looks at a token without using it. Locks: none. Index: user_tokens_pkey. Rows: one or none. */
export const findToken = statement<
  [tokenHash: Buffer, purpose: TokenPurpose, now: Date | null],
  UserTokenRow
>(
  'find-user-token',
  `select user_id as "userId", email, context, expires_at as "expiresAt" from user_tokens
    where token_hash = $1::bytea and purpose = $2::text and used_at is null
      and expires_at > coalesce($3::timestamptz, now())`,
);

/** Purpose: takes back what a person holds for a purpose. Locks: the rows. Index: user_tokens_user_id_idx. Rows: a few. */
export const withdrawTokens = statement<[userId: string, purpose: TokenPurpose]>(
  'withdraw-user-tokens',
  `delete from user_tokens where user_id = $1::uuid and purpose = $2::text and used_at is null`,
);

/**
 * Purpose: takes back all that a person holds, whatever for, but for what proves the address they keep. Waits for a
 * token that is being used. Locks: the rows. Index: user_tokens_user_id_idx. Rows: a few.
 */
export const withdrawAllTokens = statement<[userId: string, keptEmail: string]>(
  'withdraw-all-user-tokens',
  `delete from user_tokens
    where user_id = $1::uuid and used_at is null and (email is null or lower(email) is distinct from lower($2::text))`,
);

/**
 * Purpose: removes tokens that have expired, used ones among them, a batch at a time; two purges share the work. An
 * array, not `in`: the planner does not know the limit and would join, reading the whole table.
 * Locks: the rows, skipping locked ones. Index: user_tokens_expires_at_idx, user_tokens_pkey. Rows: up to the limit.
 */
export const purgeTokens = statement<[limit: number, now: Date | null], { readonly userId: string }>(
  'purge-user-tokens',
  `delete from user_tokens where token_hash = any (array(
     select token_hash from user_tokens where expires_at <= coalesce($2::timestamptz, now())
      order by expires_at limit $1::int for update skip locked))
   returning user_id as "userId"`,
);
