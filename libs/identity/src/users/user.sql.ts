import { statement } from '#platform';

/** A person as statements give it. */
export interface UserRow {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly emailVerifiedAt: Date | null;
  readonly createdAt: Date;
}

const COLUMNS = `id, email, name, email_verified_at as "emailVerifiedAt", created_at as "createdAt"`;

/**
 * Purpose: makes everything that changes a person's password, address or name take turns until the transaction ends,
 * and shows what it is now. Whoever needs a token or a session of the same person too locks the person first.
 * Locks: the row. Index: users_pkey. Rows: one or none.
 */
export const lockUser = statement<[id: string], UserRow & { readonly passwordHash: string | null }>(
  'lock-user',
  `select ${COLUMNS}, password_hash as "passwordHash" from users where id = $1::uuid for no key update`,
);

/**
 * Purpose: a person whose password is still the one that was checked a moment ago (null: none was), and stays so until
 * the transaction ends. Whoever sets another one waits for a sign-in that came first, then ends its session; a sign-in
 * that comes second finds nobody. Locks: the row, shared. Index: users_pkey. Rows: one or none.
 */
export const holdChecked = statement<[id: string, passwordHash: string | null], UserRow>(
  'hold-checked-user',
  `select ${COLUMNS} from users
    where id = $1::uuid and ($2::text is null or password_hash = $2::text)
      for share`,
);

/**
 * Purpose: to whom a mail for an address is written. Their address cannot change until the transaction ends, so that no
 * token is mailed to one that was just given up. Locks: the row, shared. Index: users_lower_email_key. Rows: one or none.
 */
export const findAddressee = statement<[email: string], UserRow>(
  'find-addressee',
  `select ${COLUMNS} from users where lower(email) = lower($1::text) for share`,
);

/** Purpose: the hash of somebody's password. Locks: none. Index: users_pkey. Rows: one or none. */
export const findPasswordHash = statement<[id: string], { readonly passwordHash: string | null }>(
  'find-password-hash',
  `select password_hash as "passwordHash" from users where id = $1::uuid`,
);

/** Purpose: gives a person another password. Locks: the row. Index: users_pkey. Rows: one or none. */
export const setPassword = statement<[id: string, passwordHash: string, now: Date | null]>(
  'set-password',
  `update users set password_hash = $2::text, updated_at = coalesce($3::timestamptz, now()) where id = $1::uuid`,
);

/** Purpose: another name for a person, and nothing but it. Locks: the row. Index: users_pkey. Rows: one or none. */
export const renameUser = statement<[id: string, name: string, now: Date | null], UserRow>(
  'rename-user',
  `update users set name = $2::text, updated_at = coalesce($3::timestamptz, now()) where id = $1::uuid
   returning ${COLUMNS}`,
);
