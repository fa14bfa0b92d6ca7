import { statement } from '#platform';
import type { ProviderId } from './oauth-provider';

/** A provider that somebody can sign in with. */
export interface IdentityRow {
  readonly provider: ProviderId;
  /** The address they had there when it was linked. */
  readonly email: string;
  readonly createdAt: Date;
}

interface UserIdRow {
  readonly userId: string;
}

/** Purpose: whose account a person of a provider is. Locks: none. Index: user_identities_pkey. Rows: one or none. */
export const findIdentity = statement<[provider: ProviderId, subject: string], UserIdRow>(
  'find-identity',
  `select user_id as "userId" from user_identities where provider = $1::text and subject = $2::text`,
);

/**
 * Purpose: links a person of a provider to the account of their address, which must have proven it: an account that has
 * not may have been made by somebody else, to be waiting there. Zero rows: no such account, or one of the two is linked
 * already. Waits for whoever is linking either of them. Locks: none but the new row. Index: users_lower_email_key,
 * user_identities_pkey. Rows: one or none.
 */
export const matchIdentity = statement<
  [provider: ProviderId, subject: string, email: string, now: Date | null],
  UserIdRow
>(
  'match-identity',
  `insert into user_identities (provider, subject, user_id, email, created_at)
   select $1::text, $2::text, id, $3::text, coalesce($4::timestamptz, now()) from users
    where lower(email) = lower($3::text) and email_verified_at is not null
   on conflict do nothing
   returning user_id as "userId"`,
);

/**
 * Purpose: links a person of a provider to an account. Zero rows: one of the two is linked already.
 * Index: user_identities_pkey, user_identities_user_id_key. Rows: one or none.
 */
export const insertIdentity = statement<
  [provider: ProviderId, subject: string, userId: string, email: string, now: Date | null],
  UserIdRow
>(
  'insert-identity',
  `insert into user_identities (provider, subject, user_id, email, created_at)
   values ($1::text, $2::text, $3::uuid, $4::text, coalesce($5::timestamptz, now()))
   on conflict do nothing
   returning user_id as "userId"`,
);

/**
 * Purpose: whether an address has an account, and has proven it. Locks: none. Index: users_lower_email_key. Rows: one or
 * none.
 */
export const findAddressOwner = statement<[email: string], { readonly verified: boolean }>(
  'find-address-owner',
  `select email_verified_at is not null as verified from users where lower(email) = lower($1::text)`,
);

/** Purpose: the providers of a person. Locks: none. Index: user_identities_user_id_key. Rows: one for each provider. */
export const listIdentities = statement<[userId: string], IdentityRow>(
  'list-identities',
  `select provider, email, created_at as "createdAt" from user_identities
    where user_id = $1::uuid order by provider`,
);

/**
 * Purpose: takes a provider from a person who has another way to sign in. The person is locked before (`lock-user`):
 * two providers that are taken away at once would each count on the other. A statement of its own sees what the other
 * did. Locks: the row. Index: user_identities_user_id_key, users_pkey. Rows: one or none.
 */
export const deleteIdentity = statement<
  [userId: string, provider: ProviderId],
  { readonly provider: ProviderId }
>(
  'delete-identity',
  `delete from user_identities i
    where i.user_id = $1::uuid and i.provider = $2::text
      and (exists (select from users u where u.id = $1::uuid and u.password_hash is not null)
           or exists (select from user_identities other where other.user_id = $1::uuid and other.provider <> $2::text))
   returning i.provider`,
);
