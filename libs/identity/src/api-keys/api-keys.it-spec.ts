import { randomUUID } from 'node:crypto';
import { type Access, actorOf, Db, platformErrors, type UserPrincipal } from '#platform';
import { barrier } from '#platform/testing';
import { identityErrors } from '../errors';
import { aSignUp, CLIENT, useIdentityApp } from '../testing/identity-app';
import { SignUp } from '../users/sign-up.service';
import { type Acting, ApiKeys } from './api-keys.service';

const MINUTE_MS = 60_000;

describe('ApiKeys', () => {
  const identity = useIdentityApp({ poolSize: 12 });
  const keys = () => identity().get(ApiKeys);

  const grants = () => identity().roles;
  afterEach(() => {
    grants().role = 'owner';
  });

  /** Someone new, acting in their own workspace. */
  async function anOwner(role = 'owner'): Promise<Acting<UserPrincipal>> {
    const { user } = await identity()
      .get(SignUp)
      .signUp(aSignUp(`${randomUUID()}@example.com`), CLIENT);
    const workspaceId = identity().workspaces.created.at(-1)?.id ?? '';
    const access: Access = { workspaceId, role, permissions: new Set() };
    return {
      actor: { kind: 'user', userId: user.id, sessionId: randomUUID(), via: 'bearer' },
      access,
      client: CLIENT,
    };
  }
  const aKey = (acting: Acting<UserPrincipal>, more: { role?: string; expiresAt?: string } = {}) =>
    keys().create(acting, { name: 'CI', role: 'member', ...more });
  const aScopedKey = (acting: Acting<UserPrincipal>, reach: { role?: string; scopes: string[] }) =>
    keys().create(acting, { name: 'CI', ...reach });

  it('act in their workspace with their role', async () => {
    const acting = await anOwner();
    const { apiKey, key } = await aKey(acting);
    expect(await keys().authenticate(key)).toEqual({
      kind: 'api_key',
      apiKeyId: apiKey.id,
      workspaceId: acting.access.workspaceId,
      role: 'member',
      scopes: null,
    });
    expect(apiKey).toMatchObject({
      name: 'CI',
      key: `${key.slice(0, 24)}_…`,
      createdBy: acting.actor.userId,
    });
  });

  it('are proven by the whole key, not by their prefix', async () => {
    const { key } = await aKey(await anOwner());
    const otherEnd = key.endsWith('A') ? 'E' : 'A';
    for (const wrong of [
      key.slice(0, -1),
      `${key.slice(0, -1)}${otherEnd}`,
      `${key}A`,
      key.toUpperCase(),
      '',
    ]) {
      expect(await keys().authenticate(wrong)).toBeNull();
    }
  });

  it('never act with more than the role of their maker', async () => {
    const acting = await anOwner('member');
    grants().role = 'member';
    await expect(aKey(acting, { role: 'admin' })).rejects.toMatchObject({
      type: identityErrors.role_not_grantable,
    });
    await expect(aKey(acting, { role: 'emperor' })).rejects.toMatchObject({ type: platformErrors.invalid });
    await expect(aKey(acting, { role: 'viewer' })).resolves.toMatchObject({ apiKey: { role: 'viewer' } });
  });

  it('are narrowed to their scopes, and take the least role that has them', async () => {
    const acting = await anOwner();
    const { apiKey, key } = await aScopedKey(acting, { scopes: ['run:start', 'run:read', 'run:start'] });
    const reach = { role: 'member', scopes: ['run:read', 'run:start'] };
    expect(apiKey).toMatchObject(reach);
    expect(await keys().authenticate(key)).toMatchObject(reach);
    expect(identity().audit.entries.at(-1)?.after).toMatchObject(reach);
    const wide = await aScopedKey(acting, { role: 'admin', scopes: ['run:read'] });
    expect(wide.apiKey).toMatchObject({ role: 'admin', scopes: ['run:read'] });
  });

  it('have no scope that their role or their maker lacks', async () => {
    const acting = await anOwner();
    const invalid = { type: platformErrors.invalid };
    await expect(aScopedKey(acting, { role: 'viewer', scopes: ['run:start'] })).rejects.toMatchObject(
      invalid,
    );
    await expect(aScopedKey(acting, { scopes: ['no:such'] })).rejects.toMatchObject(invalid);
    grants().role = 'viewer';
    await expect(aScopedKey(acting, { scopes: ['run:start'] })).rejects.toMatchObject({
      type: identityErrors.role_not_grantable,
    });
  });

  it('are made by no one who stopped being a member since the request came in', async () => {
    const acting = await anOwner();
    grants().role = null;
    await expect(aKey(acting)).rejects.toMatchObject({ type: platformErrors.not_found });
  });

  it('die with the right to make them: those beyond the new role, or all of them', async () => {
    const acting = await anOwner();
    const { workspaceId } = acting.access;
    const colleague = await anOwner();
    const [admins, viewers] = [await aKey(acting, { role: 'admin' }), await aKey(acting, { role: 'viewer' })];
    const others = await keys().create(
      { ...acting, actor: colleague.actor },
      { name: 'Not theirs', role: 'admin' },
    );
    const usable = async () => {
      const principals = await Promise.all(
        [admins, viewers, others].map(({ key }) => keys().authenticate(key)),
      );
      return principals.map((principal) => principal?.role ?? null);
    };
    const lose = (role: string | null) =>
      identity()
        .get(Db)
        .tenant(workspaceId, (tx) =>
          keys().revokeBeyond(tx, {
            workspaceId,
            userId: acting.actor.userId,
            role,
            actor: actorOf(colleague.actor),
            ...CLIENT,
          }),
        );
    await lose('admin');
    expect(await usable()).toEqual(['admin', 'viewer', 'admin']);
    await lose('member');
    expect(await usable()).toEqual([null, 'viewer', 'admin']);
    expect(identity().audit.entries.at(-1)).toMatchObject({
      action: 'api_key.revoked',
      target: { id: admins.apiKey.id },
      actor: actorOf(colleague.actor),
      reason: 'Its maker is member now.',
    });
    await lose(null);
    expect(await usable()).toEqual([null, null, 'admin']);
  });

  it('stop when they expire, and cannot be made expired', async () => {
    const acting = await anOwner();
    const { clock } = identity();
    const inAMinute = new Date(clock.now().getTime() + MINUTE_MS).toISOString();
    const { key } = await aKey(acting, { expiresAt: inAMinute });
    clock.advance(MINUTE_MS - 1);
    expect(await keys().authenticate(key)).not.toBeNull();
    clock.advance(1);
    expect(await keys().authenticate(key)).toBeNull();
    await expect(aKey(acting, { expiresAt: inAMinute })).rejects.toMatchObject({
      type: platformErrors.invalid,
    });
  });

  it('note when they were used, at most once a minute', async () => {
    const acting = await anOwner();
    const { apiKey, key } = await aKey(acting);
    const { clock } = identity();
    const lastUsed = async () => (await keys().get(acting.access.workspaceId, apiKey.id)).lastUsedAt;
    expect(await lastUsed()).toBeNull();
    await keys().authenticate(key);
    const first = clock.now().toISOString();
    clock.advance(MINUTE_MS - 1);
    await keys().authenticate(key);
    expect(await lastUsed()).toBe(first);
    clock.advance(1);
    await keys().authenticate(key);
    expect(await lastUsed()).toBe(clock.now().toISOString());
  });

  it('are worth nothing once revoked, and stay on record', async () => {
    const acting = await anOwner();
    const { apiKey, key } = await aKey(acting);
    const before = identity().audit.entries.length;
    await keys().revoke(acting, apiKey.id);
    await keys().revoke(acting, apiKey.id);
    expect(await keys().authenticate(key)).toBeNull();
    const { data } = await keys().list(acting.access.workspaceId, { limit: 20, before: null });
    expect(data).toMatchObject([{ id: apiKey.id, revokedAt: identity().clock.now().toISOString() }]);
    expect(identity().audit.entries.slice(before)).toMatchObject([
      {
        action: 'api_key.revoked',
        target: { kind: 'api_key', id: apiKey.id },
        actor: actorOf(acting.actor),
        ...CLIENT,
      },
    ]);
  });

  /** Control: without `revoked_at is null` in the statement's WHERE there are ten audit rows. */
  it('are revoked once by ten that revoke at a time', async () => {
    const acting = await anOwner();
    const { apiKey } = await aKey(acting);
    const before = identity().audit.entries.length;
    const arrive = barrier(10);
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        await arrive();
        await keys().revoke(acting, apiKey.id);
      }),
    );
    expect(identity().audit.entries).toHaveLength(before + 1);
  });

  it('are listed newest first, page by page, with no hash among it', async () => {
    const acting = await anOwner();
    const { workspaceId } = acting.access;
    const made = [await aKey(acting), await aKey(acting), await aKey(acting)].map(({ apiKey }) => apiKey.id);
    const first = await keys().list(workspaceId, { limit: 2, before: null });
    expect(first.data.map(({ id }) => id)).toEqual([made[2], made[1]]);
    expect(first.hasMore).toBe(true);
    const rest = await keys().list(workspaceId, { limit: 2, before: made[1] ?? null });
    expect(rest).toMatchObject({ data: [{ id: made[0] }], hasMore: false, nextCursor: null });
    expect(JSON.stringify([first, rest])).not.toContain('hash');
  });

  it('of another workspace look like keys that do not exist', async () => {
    const owner = await anOwner();
    const stranger = await anOwner();
    const { apiKey, key } = await aKey(owner);
    const missing = { type: platformErrors.not_found };
    await expect(keys().revoke(stranger, apiKey.id)).rejects.toMatchObject(missing);
    await expect(keys().get(stranger.access.workspaceId, apiKey.id)).rejects.toMatchObject(missing);
    expect(await keys().list(stranger.access.workspaceId, { limit: 20, before: null })).toMatchObject({
      data: [],
    });
    expect(await keys().authenticate(key)).not.toBeNull();
  });

  it('outlive the account of their maker', async () => {
    const acting = await anOwner();
    const { apiKey, key } = await aKey(acting);
    await identity().sql('delete from users where id = $1', [acting.actor.userId]);
    expect(await keys().authenticate(key)).not.toBeNull();
    expect(await keys().get(acting.access.workspaceId, apiKey.id)).toMatchObject({ createdBy: null });
  });

  it('can have nothing of theirs rewritten by a request but their revocation', async () => {
    const acting = await anOwner();
    const { apiKey } = await aKey(acting);
    const inTenant = (sql: string) =>
      identity()
        .get(Db)
        .tenant(acting.access.workspaceId, (tx) => tx.query({ name: sql, text: sql }));
    await expect(inTenant(`update api_keys set role = 'owner'`)).rejects.toThrow('permission denied');
    await expect(inTenant(`delete from api_keys`)).rejects.toThrow('permission denied');
    await expect(inTenant(`select from users`)).rejects.toThrow('permission denied');
    await expect(inTenant(`select from sessions`)).rejects.toThrow('permission denied');
    expect(await inTenant(`select id from api_keys`)).toEqual([{ id: apiKey.id }]);
  });
});
