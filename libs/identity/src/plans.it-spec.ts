import { planOf, useTestDb } from '#platform/testing';
import {
  findUsableKey,
  keyHolds,
  lockKeysOfMaker,
  revokeKey,
  touchKey,
  purgeKeysOf,
} from './api-keys/api-key.sql';
import { countOwn, deleteUser } from './deletion/account-deletion.sql';
import {
  deleteIdentity,
  findAddressOwner,
  findIdentity,
  listIdentities,
  matchIdentity,
} from './oauth/identity.sql';
import {
  countRecoveryCodes,
  deleteRecoveryCodes,
  deleteSecondFactor,
  enableSecondFactor,
  findSecondFactor,
  lockSecondFactor,
  sessionIsFresh,
  takeRecoveryCode,
  takeStep,
} from './second-factor/second-factor.sql';
import {
  endSession,
  endSessionsOf,
  findSession,
  listSessions,
  purgeSessions,
  sessionHolds,
  touchSession,
} from './sessions/session.sql';
import { listAttempts, purgeAttempts, recordAttempt } from './sign-ins/sign-in-attempt.sql';
import { findUserByEmail } from './users/find-user-by-email.sql';
import { acceptTerms, findAcceptance } from './users/terms.sql';
import {
  findAddressee,
  findPasswordHash,
  holdChecked,
  lockUser,
  renameUser,
  setPassword,
} from './users/user.sql';
import { findToken, purgeTokens, useToken, withdrawAllTokens, withdrawTokens } from './tokens/user-token.sql';
import { proveEmail } from './verification/prove-email.sql';
import { joinWaitlist } from './waitlist/waitlist.sql';

const ROWS = 5_000;

describe('Statements of identity', () => {
  const testDb = useTestDb();

  /** With a few rows a table is read whole, whatever indexes it has. */
  beforeAll(async () => {
    const { sql } = testDb();
    const numbers = `generate_series(1, ${ROWS}) n`;
    await sql(`insert into users (id, email, name, created_at, updated_at)
      select gen_random_uuid(), 'user-' || n || '@example.com', 'User', now(), now() from ${numbers}`);
    await sql(`insert into sessions (id, user_id, token_hash, remember, created_at, last_seen_at, expires_at)
      select gen_random_uuid(), id, sha256(id::text::bytea), false, now(), now(), now() + interval '7 days' from users`);
    await sql(`insert into user_tokens (token_hash, user_id, purpose, email, created_at, expires_at)
      select sha256(id::text::bytea), id, 'verify_email', email, now(), now() + interval '1 day' from users`);
    await sql(`insert into api_keys (id, workspace_id, name, prefix, hash, role, created_by, created_at)
      select gen_random_uuid(), gen_random_uuid(), 'Key', substr(sha256(id::text::bytea)::text, 3, 16),
             sha256(id::text::bytea), 'member', id, now() from users`);
    await sql(`insert into sign_in_attempts (id, user_id, method, outcome, at)
      select gen_random_uuid(), id, 'password', 'succeeded', now() - random() * interval '90 days' from users`);
    await sql(
      `insert into user_terms_acceptances (user_id, version, accepted_at) select id, '1.0', now() from users`,
    );
    await sql(`insert into user_identities (provider, subject, user_id, email, created_at)
      select 'google', id::text, id, email, now() from users`);
    await sql(`insert into user_second_factors (user_id, secret, created_at, enabled_at)
      select id, 'sealed', now(), now() from users`);
    await sql(`insert into user_recovery_codes (user_id, code_hash)
      select id, sha256((id::text || n)::bytea) from users, generate_series(1, 3) n`);
    await sql(`analyze users, user_terms_acceptances, sessions, user_tokens, sign_in_attempts, api_keys,
      user_identities, user_second_factors, user_recovery_codes`);
  }, 60_000);

  it.each([
    { found: findUserByEmail, indexes: ['users_lower_email_key'] },
    { found: lockUser, indexes: ['users_pkey'] },
    { found: findSession, indexes: ['sessions_token_hash_key'] },
    { found: touchSession, indexes: ['sessions_pkey'] },
    { found: sessionHolds, indexes: ['sessions_pkey'] },
    { found: keyHolds, indexes: ['api_keys_pkey'] },
    // By its own id, or the few of its person: one is as good as the other.
    { found: endSession, indexes: ['Index Scan using sessions_'] },
    { found: endSessionsOf, indexes: ['sessions_user_id_idx'] },
    { found: listSessions, indexes: ['sessions_user_id_idx'] },
    { found: recordAttempt, indexes: ['users_pkey'] },
    { found: listAttempts, indexes: ['sign_in_attempts_user_id_idx'] },
    { found: purgeAttempts, indexes: ['sign_in_attempts_at_idx', 'sign_in_attempts_pkey'] },
    { found: purgeSessions, indexes: ['sessions_expires_at_idx', 'sessions_pkey'] },
    { found: useToken, indexes: ['user_tokens_pkey'] },
    { found: findToken, indexes: ['user_tokens_pkey'] },
    { found: withdrawTokens, indexes: ['user_tokens_user_id_idx'] },
    { found: withdrawAllTokens, indexes: ['user_tokens_user_id_idx'] },
    { found: purgeTokens, indexes: ['user_tokens_expires_at_idx', 'user_tokens_pkey'] },
    { found: proveEmail, indexes: ['users_pkey'] },
    { found: holdChecked, indexes: ['users_pkey'] },
    { found: findAddressee, indexes: ['users_lower_email_key'] },
    { found: findPasswordHash, indexes: ['users_pkey'] },
    { found: setPassword, indexes: ['users_pkey'] },
    { found: renameUser, indexes: ['users_pkey'] },
    { found: acceptTerms, indexes: ['user_terms_acceptances_pkey'] },
    { found: findAcceptance, indexes: ['user_terms_acceptances_pkey'] },
    { found: joinWaitlist, indexes: ['waitlist_entries_lower_email_key'] },
    { found: countOwn, indexes: ['sessions_user_id_idx', 'api_keys_created_by_idx'] },
    { found: deleteUser, indexes: ['users_pkey'] },
    { found: findSecondFactor, indexes: ['user_second_factors_pkey'] },
    { found: lockSecondFactor, indexes: ['user_second_factors_pkey'] },
    { found: enableSecondFactor, indexes: ['user_second_factors_pkey'] },
    { found: takeStep, indexes: ['user_second_factors_pkey'] },
    { found: deleteSecondFactor, indexes: ['user_second_factors_pkey'] },
    { found: countRecoveryCodes, indexes: ['user_recovery_codes_pkey'] },
    { found: takeRecoveryCode, indexes: ['user_recovery_codes_pkey'] },
    { found: deleteRecoveryCodes, indexes: ['user_recovery_codes_pkey'] },
    { found: sessionIsFresh, indexes: ['sessions_pkey'] },
    { found: findIdentity, indexes: ['user_identities_pkey'] },
    { found: matchIdentity, indexes: ['users_lower_email_key'] },
    { found: findAddressOwner, indexes: ['users_lower_email_key'] },
    { found: listIdentities, indexes: ['user_identities_user_id_key'] },
    { found: deleteIdentity, indexes: ['user_identities_user_id_key', 'users_pkey'] },
    { found: findUsableKey, indexes: ['api_keys_prefix_key'] },
    { found: touchKey, indexes: ['api_keys_pkey'] },
    { found: lockKeysOfMaker, indexes: ['api_keys_workspace_id_id_idx'] },
    { found: revokeKey, indexes: ['api_keys_workspace_id_id_idx'] },
    { found: purgeKeysOf, indexes: ['api_keys_workspace_id_id_idx'] },
  ])('$found.name finds its rows by an index', async ({ found, indexes }) => {
    const plan = await planOf(testDb().db, found);
    for (const index of indexes) expect(plan).toContain(index);
    expect(plan).not.toContain('Seq Scan');
  });
});
