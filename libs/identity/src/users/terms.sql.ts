import { statement } from '#platform';

/**
 * Purpose: records that a person accepts a version of the terms; the first time counts.
 * Locks: the row. Index: user_terms_acceptances_pkey. Rows: none.
 */
export const acceptTerms = statement<[userId: string, version: string, now: Date | null]>(
  'accept-terms',
  `insert into user_terms_acceptances (user_id, version, accepted_at)
   values ($1::uuid, $2::text, coalesce($3::timestamptz, now()))
   on conflict (user_id, version) do nothing`,
);

/** Purpose: when a person accepted a version. Locks: none. Index: user_terms_acceptances_pkey. Rows: one or none. */
export const findAcceptance = statement<[userId: string, version: string], { readonly acceptedAt: Date }>(
  'find-terms-acceptance',
  `select accepted_at as "acceptedAt" from user_terms_acceptances where user_id = $1::uuid and version = $2::text`,
);
