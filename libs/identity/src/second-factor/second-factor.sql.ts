import { statement } from '#platform';

/** Somebody's second factor. The secret is sealed. */
export interface SecondFactorRow {
  readonly secret: Buffer;
  readonly enabled: boolean;
}

/**
 * Purpose: begins to set up a second factor, or begins again with another secret; nothing when it is on already.
 * Locks: the row. Index: user_second_factors_pkey. Rows: one or none.
 */
export const beginSecondFactor = statement<
  [userId: string, secret: Buffer, now: Date | null],
  { readonly userId: string }
>(
  'begin-second-factor',
  `insert into user_second_factors as f (user_id, secret, created_at)
   values ($1::uuid, $2::bytea, coalesce($3::timestamptz, now()))
   on conflict (user_id) do update set secret = excluded.secret, created_at = excluded.created_at
     where f.enabled_at is null
   returning user_id as "userId"`,
);

/** Purpose: somebody's second factor. Locks: none. Index: user_second_factors_pkey. Rows: one or none. */
export const findSecondFactor = statement<[userId: string], SecondFactorRow>(
  'find-second-factor',
  `select secret, enabled_at is not null as enabled from user_second_factors where user_id = $1::uuid`,
);

/**
 * Purpose: keeps somebody's second factor as it is until the transaction ends, so that changes of it take turns.
 * Locks: the row. Index: user_second_factors_pkey. Rows: one or none.
 */
export const lockSecondFactor = statement<[userId: string], { readonly userId: string }>(
  'lock-second-factor',
  `select user_id as "userId" from user_second_factors
    where user_id = $1::uuid and enabled_at is not null for update`,
);

/**
 * Purpose: switches a second factor on, with the first code it was shown. Zero rows: it is on already, or has another
 * secret by now. Locks: the row. Index: user_second_factors_pkey. Rows: one or none.
 */
export const enableSecondFactor = statement<
  [userId: string, secret: Buffer, step: number, now: Date | null],
  { readonly userId: string }
>(
  'enable-second-factor',
  `update user_second_factors set enabled_at = coalesce($4::timestamptz, now()), last_step = $3::bigint
    where user_id = $1::uuid and secret = $2::bytea and enabled_at is null
   returning user_id as "userId"`,
);

/**
 * Purpose: takes the code of a time step, once: a second request waits on the row, then finds the step taken. Earlier
 * steps are gone with it. Locks: the row. Index: user_second_factors_pkey. Rows: one or none.
 */
export const takeStep = statement<
  [userId: string, secret: Buffer, step: number],
  { readonly userId: string }
>(
  'take-second-factor-step',
  `update user_second_factors set last_step = $3::bigint
    where user_id = $1::uuid and secret = $2::bytea and enabled_at is not null
      and (last_step is null or last_step < $3::bigint)
   returning user_id as "userId"`,
);

/** Purpose: switches a second factor off. Locks: the row. Index: user_second_factors_pkey. Rows: one or none. */
export const deleteSecondFactor = statement<[userId: string]>(
  'delete-second-factor',
  `delete from user_second_factors where user_id = $1::uuid`,
);

/** Purpose: stores recovery codes. Index: user_recovery_codes_pkey. Rows: one for each code. */
export const insertRecoveryCodes = statement<[userId: string, codeHashes: readonly Buffer[]]>(
  'insert-recovery-codes',
  `insert into user_recovery_codes (user_id, code_hash) select $1::uuid, unnest($2::bytea[])`,
);

/** Purpose: how many codes are left. Locks: none. Index: user_recovery_codes_pkey. Rows: one. */
export const countRecoveryCodes = statement<[userId: string], { readonly count: number }>(
  'count-recovery-codes',
  `select count(*)::int as count from user_recovery_codes where user_id = $1::uuid and used_at is null`,
);

/**
 * Purpose: takes a recovery code, once: a second request waits on the row, then finds it used.
 * Locks: the row. Index: user_recovery_codes_pkey. Rows: one or none.
 */
export const takeRecoveryCode = statement<
  [userId: string, codeHash: Buffer, now: Date | null],
  { readonly userId: string }
>(
  'take-recovery-code',
  `update user_recovery_codes set used_at = coalesce($3::timestamptz, now())
    where user_id = $1::uuid and code_hash = $2::bytea and used_at is null
   returning user_id as "userId"`,
);

/** Purpose: takes back all codes of a person. Locks: the rows. Index: user_recovery_codes_pkey. Rows: ten or none. */
export const deleteRecoveryCodes = statement<[userId: string]>(
  'delete-recovery-codes',
  `delete from user_recovery_codes where user_id = $1::uuid`,
);

/**
 * Purpose: whether a session began a short while ago. Locks: none. Index: sessions_pkey. Rows: one or none.
 */
export const sessionIsFresh = statement<
  [sessionId: string, minutes: number, now: Date | null],
  { readonly id: string }
>(
  'session-is-fresh',
  `select id from sessions
    where id = $1::uuid and created_at > coalesce($3::timestamptz, now()) - make_interval(mins => $2::int)`,
);
