import { randomUUID } from 'node:crypto';
import { Db } from '#platform';
import { barrier } from '#platform/testing';
import { identityErrors } from '../errors';
import { httpOf, signedUp, useIdentityHttp } from '../testing/http';
import { aSignUp } from '../testing/identity-app';
import { Credentials } from '../users/credentials.service';
import { AccountDeletion } from './account-deletion.service';

const DAY_MS = 24 * 60 * 60_000;
const CLIENT = { ip: '203.0.113.9', userAgent: 'curl/8' };

describe('Deleting an account', () => {
  const identity = useIdentityHttp({}, 12);
  const deletion = () => identity().get(AccountDeletion);
  const invalid = { type: identityErrors.deletion_invalid };

  afterEach(() => {
    identity().footprint.footprint = { owned: [], joined: 0, workflows: 0 };
  });

  const http = () => httpOf(identity());

  async function someone() {
    const person = await signedUp(identity());
    const ask = () => http().post('/v1/me/deletion', { password: person.password }, { as: person.token });
    const mailed = () => identity().mail.tokenFor(person.email, 'delete-account');
    const isHere = async () => (await http().get('/v1/me', { as: person.token })).status === 200;
    return { ...person, ask, mailed, isHere };
  }

  it('shows what would go, asks for the password, mails, and then takes it all away', async () => {
    const ada = await someone();
    const own = randomUUID();
    identity().footprint.footprint = {
      owned: [{ id: own, name: 'Mill', otherMembers: 0 }],
      joined: 2,
      workflows: 3,
    };
    const preview = await http().get('/v1/me/deletion', { as: ada.token });
    expect(preview.json).toEqual({
      blocked: false,
      ownedWorkspaces: [{ id: own, name: 'Mill', otherMembers: 0 }],
      counts: { workflows: 3, joinedWorkspaces: 2, apiKeys: 0, sessions: 1 },
    });
    for (const body of [{ password: 'not mine' }, {}]) {
      const refused = await http().post('/v1/me/deletion', body, { as: ada.token });
      expect(refused.json).toMatchObject({ code: 'identity.wrong_password' });
    }
    expect(await ada.ask()).toMatchObject({
      status: 202,
      json: { mailedTo: ada.email, expiresAt: '2026-01-06T12:00:00.000Z' },
    });
    expect(await ada.isHere()).toBe(true);

    expect((await http().post('/v1/auth/delete-account', { token: ada.mailed() })).status).toBe(204);
    expect(identity().footprint.left).toContain(ada.userId);
    expect(await ada.isHere()).toBe(false);
    const again = { email: ada.email, password: ada.password };
    expect((await http().post('/v1/auth/sign-in', again)).status).toBe(401);
    expect(identity().mail.sent.at(-1)).toMatchObject({ to: ada.email, subject: 'Your account is deleted' });
    const [record] = await identity().sql('select * from account_deletions where user_id = $1', [ada.userId]);
    expect(record).toMatchObject({
      counts: { workflows: 3, joinedWorkspaces: 2, apiKeys: 0, sessions: 1 },
      ip: expect.any(String),
    });
    expect(JSON.stringify(record)).not.toContain(ada.email);
    // The address is free again.
    expect((await http().post('/v1/auth/sign-up', aSignUp(ada.email))).status).toBe(201);
  });

  // Seen to fail without the comparison of the hashes under the lock: the mail went out, with a token that worked.
  it('is not asked for with a password that is reset after it was checked', async () => {
    const ada = await someone();
    await http().post('/v1/auth/forgot-password', { email: ada.email });
    const token = identity().mail.tokenFor(ada.email, 'reset-password');
    const credentials = identity().get(Credentials);
    const confirm = credentials.confirm.bind(credentials);
    const spy = jest.spyOn(credentials, 'confirm').mockImplementation(async (...asked) => {
      const checked = await confirm(...asked);
      await http().post('/v1/auth/reset-password', { token, password: 'a mill beside the river' });
      return checked;
    });
    const answer = await ada.ask();
    spy.mockRestore();
    expect(answer).toMatchObject({ status: 403, json: { code: 'identity.wrong_password' } });
    expect(identity().mail.subjectsTo(ada.email)).not.toContain('Delete your account?');
  });

  it('is refused while others are in a workspace of the account, also when they came after the mail', async () => {
    const ada = await someone();
    expect((await ada.ask()).status).toBe(202);
    identity().footprint.footprint = {
      owned: [{ id: randomUUID(), name: 'Shared', otherMembers: 2 }],
      joined: 0,
      workflows: 0,
    };
    expect(await ada.ask()).toMatchObject({
      status: 409,
      json: {
        code: 'identity.account_owns_workspaces',
        workspaces: [{ name: 'Shared', otherMembers: 2 }],
      },
    });
    await expect(deletion().confirm(ada.mailed(), CLIENT)).rejects.toMatchObject({
      type: identityErrors.account_owns_workspaces,
    });
    expect(await ada.isHere()).toBe(true);
    // Nothing was used up: once the workspace is handed over, the same link works.
    identity().footprint.footprint = { owned: [], joined: 1, workflows: 0 };
    await deletion().confirm(ada.mailed(), CLIENT);
    expect(identity().footprint.left).toContain(ada.userId);
  });

  it('works by the page of the link: opening it deletes nothing, its button does', async () => {
    const ada = await someone();
    await ada.ask();
    const page = await http().get(`/delete-account?token=${ada.mailed()}`);
    expect(page.text).toContain('Delete my account');
    expect(await ada.isHere()).toBe(true);
    const press = () => http().submit('/delete-account', { token: ada.mailed() });
    expect((await press()).text).toContain('Your account is deleted');
    expect((await press()).text).toContain('Nothing was deleted');
    expect((await http().get('/delete-account?token=x')).text).toContain('Nothing was deleted');
  });

  it('refuses a token after a day, and one for another purpose', async () => {
    const ada = await someone();
    await ada.ask();
    const verification = identity().mail.tokenFor(ada.email, 'verify-email');
    await expect(deletion().confirm(verification, CLIENT)).rejects.toMatchObject(invalid);
    identity().clock.advance(DAY_MS);
    await expect(deletion().confirm(ada.mailed(), CLIENT)).rejects.toMatchObject(invalid);
  });

  // Seen to fail without using the token: the others ran into account_deletions_user_id_key, which is a 500.
  it('happens once when ten confirm at a time', async () => {
    const ada = await someone();
    await ada.ask();
    const token = ada.mailed();
    // A pool connects at its first use; that done, all ten really go at the same time.
    const connected = barrier(12);
    await Promise.all(Array.from({ length: 12 }, () => identity().get(Db).control(connected)));
    const go = barrier(10);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, async () => {
        await go();
        await deletion().confirm(token, CLIENT);
      }),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(invalid);
    }
  });

  // The catalogue names the tables, so one that is added later and holds an account back fails this.
  it('is held back by no table that refers to people, whatever lies in it', async () => {
    const ada = await someone();
    const { sql } = identity();
    const references = await sql<{ table: string; column: string; action: string }>(
      `select k.conrelid::regclass::text as table, a.attname as column, k.confdeltype::text as action
         from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
        where k.contype = 'f' and k.confrelid = 'control.users'::regclass`,
    );
    const by = (action: string) =>
      references.filter((one) => one.action === action).map(({ table }) => table);
    expect([...by('c'), ...by('n')].toSorted()).toEqual(references.map(({ table }) => table).toSorted());
    const rows: Readonly<Record<string, string>> = {
      user_identities: `insert into user_identities values ('google', $1::text, $1::uuid, 'a@b.c', now())`,
      user_second_factors: `insert into user_second_factors values ($1::uuid, 'x', null, now(), now())`,
      user_recovery_codes: `insert into user_recovery_codes values ($1::uuid, sha256($1::text::bytea))`,
      sign_in_attempts: `insert into sign_in_attempts (id, user_id, method, outcome, at)
                         values (gen_random_uuid(), $1::uuid, 'password', 'succeeded', now())`,
      api_keys: `insert into api_keys (id, workspace_id, name, prefix, hash, role, created_by, created_at)
                 values ($1::uuid, $1::uuid, 'k', 'abcdefabcdefabcd', sha256('k'), 'member', $1::uuid, now())`,
    };
    for (const insert of Object.values(rows)) await sql(insert, [ada.userId]);
    for (const { table, column } of references) {
      const found = await sql(`select from ${table} where ${column} = $1`, [ada.userId]);
      expect([table, found.length > 0]).toEqual([table, true]);
    }
    await ada.ask();
    await deletion().confirm(ada.mailed(), CLIENT);
    for (const { table, column } of references) {
      const found = await sql(`select from ${table} where ${column} = $1`, [ada.userId]);
      expect([table, found.length]).toEqual([table, 0]);
    }
  });
});
