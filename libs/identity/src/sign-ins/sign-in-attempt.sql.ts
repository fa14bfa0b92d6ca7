import { statement } from '#platform';

/** How somebody tried to sign in, and what became of it. */
export type SignInMethod = 'password' | 'google' | 'github';
export type SignInOutcome = 'succeeded' | 'wrong_password' | 'wrong_code';

/**
 * Purpose: keeps an attempt to sign in. Without a person for an address that has no account: it costs and leaves the
 * same as one with a wrong password. Somebody whose account goes away meanwhile is nobody.
 * Locks: the person, against deletion. Index: users_pkey. Rows: one.
 */
export const recordAttempt = statement<
  [
    id: string,
    userId: string | null,
    method: SignInMethod,
    outcome: SignInOutcome,
    ip: string | null,
    userAgent: string | null,
    now: Date | null,
  ]
>(
  'record-sign-in-attempt',
  `insert into sign_in_attempts (id, user_id, method, outcome, ip, user_agent, at)
   values ($1::uuid, (select id from users where id = $2::uuid for key share), $3::text, $4::text, $5::inet, $6::text,
           coalesce($7::timestamptz, now()))`,
);

/** An attempt as its person sees it. */
export interface SignInAttemptRow {
  readonly id: string;
  readonly at: Date;
  readonly method: SignInMethod;
  readonly outcome: SignInOutcome;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/**
 * Purpose: somebody's attempts, newest first, from behind `before` on.
 * Locks: none. Index: sign_in_attempts_user_id_idx. Rows: up to the limit.
 */
export const listAttempts = statement<
  [userId: string, before: string | null, limit: number],
  SignInAttemptRow
>(
  'list-sign-in-attempts',
  `select id, at, method, outcome, host(ip) as ip, user_agent as "userAgent" from sign_in_attempts
    where user_id = $1::uuid and ($2::uuid is null or id < $2::uuid)
    order by id desc limit $3::int`,
);

/**
 * Purpose: forgets attempts after 90 days, a batch at a time; two purges share the work. An array, not `in`: the
 * planner does not know the limit and would join, reading the whole table.
 * Locks: the rows, skipping locked ones. Index: sign_in_attempts_at_idx, sign_in_attempts_pkey. Rows: up to the limit.
 */
export const purgeAttempts = statement<[limit: number, now: Date | null], { readonly id: string }>(
  'purge-sign-in-attempts',
  `delete from sign_in_attempts where id = any (array(
     select id from sign_in_attempts where at <= coalesce($2::timestamptz, now()) - interval '90 days'
      order by at limit $1::int for update skip locked))
   returning id`,
);
