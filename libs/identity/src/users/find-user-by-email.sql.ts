import { statement } from '#platform';

/** What signing in needs to know of an account. */
export interface AccountRow {
  readonly id: string;
  readonly passwordHash: string | null;
}

/**
 * Purpose: the account of an address, in whatever letter case. The database lowers both sides, so that they agree.
 * Locks: none. Index: users_lower_email_key. Rows: one.
 */
export const findUserByEmail = statement<[email: string], AccountRow>(
  'find-user-by-email',
  `select id, password_hash as "passwordHash" from users where lower(email) = lower($1::text)`,
);
