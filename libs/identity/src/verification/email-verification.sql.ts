import { statement } from '#platform';

/** Purpose: a token that proves an address for 24 hours. Index: email_verifications_pkey. Rows: one. */
export const issueVerification = statement<[tokenHash: Buffer, userId: string, now: Date | null]>(
  'issue-email-verification',
  `insert into email_verifications (token_hash, user_id, created_at, expires_at)
   select $1::bytea, $2::uuid, at.now, at.now + interval '24 hours'
     from (select coalesce($3::timestamptz, now()) as now) at`,
);

/**
 * Purpose: uses a token and marks its owner's address as verified. The guard on `used_at` is what makes a token single:
 * a second request waits on the row, then finds it used. Zero rows: the token is unknown, used or expired.
 * Locks: verification -> user. Index: email_verifications_pkey, users_pkey. Rows: one or none.
 */
export const useVerification = statement<
  [tokenHash: Buffer, now: Date | null],
  { readonly userId: string; readonly email: string }
>(
  'use-email-verification',
  `with used as (
     update email_verifications set used_at = coalesce($2::timestamptz, now())
      where token_hash = $1::bytea and used_at is null and expires_at > coalesce($2::timestamptz, now())
      returning user_id, used_at)
   update users set email_verified_at = coalesce(email_verified_at, used.used_at), updated_at = used.used_at
     from used where users.id = used.user_id
   returning users.id as "userId", users.email`,
);

/**
 * Purpose: removes verifications that have expired, used ones among them, a batch at a time; two purges share the work.
 * An array, not `in`: the planner does not know the limit and would join, reading the whole table.
 * Locks: the rows, skipping locked ones. Index: email_verifications_expires_at_idx, email_verifications_pkey. Rows: up
 * to the limit.
 */
export const purgeVerifications = statement<[limit: number, now: Date | null], { readonly userId: string }>(
  'purge-email-verifications',
  `delete from email_verifications where token_hash = any (array(
     select token_hash from email_verifications where expires_at <= coalesce($2::timestamptz, now())
      order by expires_at limit $1::int for update skip locked))
   returning user_id as "userId"`,
);
