import { randomUUID } from 'node:crypto';
import { useTestDb } from '#platform/testing';

/** What the database holds by itself, whatever the code above it does. */
describe('The database', () => {
  const testDb = useTestDb();
  const userId = randomUUID();

  const user = (id: string, email: string, more = { columns: '', values: '' }) =>
    `insert into users (id, email, name, created_at, updated_at${more.columns})
     values ('${id}', '${email}', 'Ada', now(), now()${more.values})`;
  const key = (changed: Readonly<Record<string, string>>) => {
    const row: Readonly<Record<string, string>> = {
      id: 'gen_random_uuid()',
      workspace_id: 'gen_random_uuid()',
      name: `'CI'`,
      prefix: `'0123456789abcdef'`,
      hash: `sha256('x')`,
      role: `'member'`,
      created_at: 'now()',
      ...changed,
    };
    return `insert into api_keys (${Object.keys(row).join(', ')}) values (${Object.values(row).join(', ')})`;
  };
  const token = (purpose: string, email: string, hash = `sha256(gen_random_uuid()::text::bytea)`) =>
    `insert into user_tokens (token_hash, user_id, purpose, email, created_at, expires_at)
     values (${hash}, '${userId}', '${purpose}', ${email}, now(), now() + interval '1 hour')`;
  const identity = (provider: string, subject: string, of = userId) =>
    `insert into user_identities values ('${provider}', '${subject}', '${of}', 'ada@example.com', now())`;

  beforeAll(async () => {
    await testDb().sql(user(userId, 'ada@example.com'));
    await testDb().sql(identity('google', '1'));
    await testDb().sql(key({}));
  });

  it.each([
    [
      'an address has one account, in any letter case',
      user(randomUUID(), 'ADA@Example.com'),
      'users_lower_email_key',
    ],
    [
      'passwords are stored as Argon2id',
      user(randomUUID(), 'b@x.de', { columns: ', password_hash', values: `, 'secret'` }),
      'users_password_hash_check',
    ],
    ['a key is found by one prefix', key({}), 'api_keys_prefix_key'],
    ['a key has a hash', key({ prefix: `'1123456789abcdef'`, hash: `'x'` }), 'api_keys_hash_check'],
    [
      'a key expires after it was made',
      key({ prefix: `'1123456789abcdef'`, expires_at: 'now()' }),
      'api_keys_expires_at_check',
    ],
    [
      'scopes that are given are some',
      key({ prefix: `'1123456789abcdef'`, scopes: `'{}'` }),
      'api_keys_scopes_check',
    ],
    ['a token has a purpose that there is', token('anything', 'null'), 'user_tokens_purpose_check'],
    ['a token that proves an address says which', token('verify_email', 'null'), 'user_tokens_email_check'],
    ['no other token proves one', token('reset_password', `'a@x.de'`), 'user_tokens_email_check'],
    ['of a token there is a hash', token('reset_password', 'null', `'raw'`), 'user_tokens_token_hash_check'],
    ['a person of a provider has one account', identity('google', '1', randomUUID()), 'user_identities_pkey'],
    ['an account has one person of a provider', identity('google', '2'), 'user_identities_user_id_key'],
    ['providers are two', identity('myspace', '1'), 'user_identities_provider_check'],
    [
      'nobody signs in to an account that there is not',
      `insert into sessions (id, user_id, token_hash, remember, created_at, last_seen_at, expires_at)
       values (gen_random_uuid(), gen_random_uuid(), sha256('x'), false, now(), now(), now() + interval '1 day')`,
      'sessions_user_id_fkey',
    ],
  ])('holds that %s', async (_rule, sql, constraint) => {
    await expect(testDb().sql(sql)).rejects.toMatchObject({ constraint });
  });
});
