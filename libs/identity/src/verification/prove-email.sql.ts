import { statement } from '#platform';

/**
 * Purpose: an address was proven by its mailbox: it is its owner's address from now on, and verified.
 * Locks: the row; waits for another account that is taking the address. Index: users_pkey, users_lower_email_key.
 * Rows: one or none.
 */
export const proveEmail = statement<
  [userId: string, email: string, now: Date | null],
  { readonly email: string }
>(
  'prove-email',
  `update users
      set email = $2::text, updated_at = coalesce($3::timestamptz, now()),
          email_verified_at = coalesce(case when lower(email) = lower($2::text) then email_verified_at end, $3::timestamptz, now())
    where id = $1::uuid
   returning email`,
);
