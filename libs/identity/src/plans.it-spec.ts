import { useTestDb } from '#platform/testing';
import { findUsableKey, revokeKey, touchKey } from './api-keys/api-key.sql';
import { endSession, findSession, purgeSessions, touchSession } from './sessions/session.sql';
import { planOf } from './testing/plan-of';
import { findUserByEmail } from './users/find-user-by-email.sql';
import { purgeVerifications, useVerification } from './verification/email-verification.sql';

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
    await sql(`insert into email_verifications (token_hash, user_id, created_at, expires_at)
      select sha256(id::text::bytea), id, now(), now() + interval '1 day' from users`);
    await sql(`insert into api_keys (id, workspace_id, name, prefix, hash, role, created_at)
      select gen_random_uuid(), gen_random_uuid(), 'Key', lpad(to_hex(n), 16, '0'), sha256(n::text::bytea), 'member', now()
        from ${numbers}`);
    await sql('analyze users, sessions, email_verifications, api_keys');
  }, 60_000);

  it.each([
    { found: findUserByEmail, indexes: ['users_lower_email_key'] },
    { found: findSession, indexes: ['sessions_token_hash_key'] },
    { found: touchSession, indexes: ['sessions_pkey'] },
    { found: endSession, indexes: ['sessions_pkey'] },
    { found: purgeSessions, indexes: ['sessions_expires_at_idx', 'sessions_pkey'] },
    { found: useVerification, indexes: ['email_verifications_pkey', 'users_pkey'] },
    {
      found: purgeVerifications,
      indexes: ['email_verifications_expires_at_idx', 'email_verifications_pkey'],
    },
    { found: findUsableKey, indexes: ['api_keys_prefix_key'] },
    { found: touchKey, indexes: ['api_keys_pkey'] },
    { found: revokeKey, indexes: ['api_keys_workspace_id_id_idx'] },
  ])('$found.name finds its rows by an index', async ({ found, indexes }) => {
    const plan = await planOf(testDb().db, found);
    for (const index of indexes) expect(plan).toContain(index);
    expect(plan).not.toContain('Seq Scan');
  });
});
