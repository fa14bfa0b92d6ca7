import { statement } from '#platform';

/**
 * Purpose: keeps an address that waits to be let in; the first time counts.
 * Locks: waits for the same address. Index: waitlist_entries_lower_email_key. Rows: none.
 */
export const joinWaitlist = statement<[id: string, email: string, now: Date | null]>(
  'join-waitlist',
  `insert into waitlist_entries (id, email, created_at)
   values ($1::uuid, $2::text, coalesce($3::timestamptz, now()))
   on conflict (lower(email)) do nothing`,
);
