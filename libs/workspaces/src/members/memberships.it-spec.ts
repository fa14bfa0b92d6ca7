import { randomUUID } from 'node:crypto';
import type { Principal } from '#platform';
import { useTestDb } from '#platform/testing';
import { type MemberName, MemberNames } from '../ports';
import { workspacesEntities } from '../tables';
import { MembersRepository } from './members.repository';
import { JOINED_MAX, Memberships } from './memberships.service';
import { permissionsOf } from './role';

class KnownNames extends MemberNames {
  readonly asked: (readonly string[])[] = [];

  constructor(private readonly known: ReadonlyMap<string, MemberName> = new Map()) {
    super();
  }

  of(userIds: readonly string[]) {
    this.asked.push(userIds);
    return Promise.resolve(this.known);
  }
}

const userNamed = (userId: string): Principal => ({ kind: 'user', userId, sessionId: 's', via: 'cookie' });
const keyOf = (workspaceId: string, role: string, scopes: readonly string[] | null = null): Principal => ({
  kind: 'api_key',
  apiKeyId: 'k',
  workspaceId,
  role,
  scopes,
});

describe('Memberships', () => {
  const testDb = useTestDb({ entities: [...workspacesEntities] });

  const memberships = (names: MemberNames = new KnownNames()) =>
    new Memberships(testDb().db, new MembersRepository(), names);

  async function aWorkspace(members: Readonly<Record<string, string>> = {}) {
    const [id, ownerId] = [randomUUID(), randomUUID()];
    await testDb().sql(`
      begin;
      insert into tenants (workspace_id) values ('${id}');
      insert into workspace_directory (workspace_id, cell_id) values ('${id}', 'cell_1');
      insert into workspaces (id, name, slug, created_by, owner_id, anchor_at)
        values ('${id}', 'W', 'w-${id}', '${ownerId}', '${ownerId}', date_trunc('second', now()));
      insert into workspace_members (workspace_id, user_id, role) values ('${id}', '${ownerId}', 'owner');
      commit;`);
    for (const [userId, role] of Object.entries(members)) {
      await testDb().sql('insert into workspace_members (workspace_id, user_id, role) values ($1, $2, $3)', [
        id, userId, role,
      ]); // prettier-ignore
    }
    return { id, ownerId };
  }

  it('gives a member the permissions of the role', async () => {
    const viewer = randomUUID();
    const { id, ownerId } = await aWorkspace({ [viewer]: 'viewer' });
    expect(await memberships().accessOf(userNamed(viewer), id)).toEqual({
      workspaceId: id,
      role: 'viewer',
      permissions: permissionsOf('viewer'),
    });
    expect((await memberships().accessOf(userNamed(ownerId), id))?.role).toBe('owner');
  });

  it('takes a change of role, a removal and a deletion into account at the next question', async () => {
    const person = randomUUID();
    const { id, ownerId } = await aWorkspace({ [person]: 'admin' });
    const rooms = memberships();
    const roleNow = async () => (await rooms.accessOf(userNamed(person), id))?.role ?? null;
    expect(await roleNow()).toBe('admin');
    await testDb().sql(`update workspace_members set role = 'viewer' where user_id = $1`, [person]);
    expect(await roleNow()).toBe('viewer');
    await testDb().sql('delete from workspace_members where user_id = $1', [person]);
    expect(await roleNow()).toBeNull();
    await testDb().sql('update workspaces set deleted_at = now(), purge_at = now() where id = $1', [id]);
    expect(await rooms.accessOf(userNamed(ownerId), id)).toBeNull();
    expect(await rooms.accessOf(keyOf(id, 'admin'), id)).toBeNull();
  });

  it('knows nobody in a foreign, a missing or an impossible workspace', async () => {
    const { id } = await aWorkspace();
    expect(await memberships().accessOf(userNamed(randomUUID()), id)).toBeNull();
    expect(await memberships().accessOf(userNamed(randomUUID()), randomUUID())).toBeNull();
    expect(await memberships().accessOf(userNamed(randomUUID()), `${id}' or true --`)).toBeNull();
  });

  it('lets an API key into its own workspace alone, with what its role may do', async () => {
    const [mine, other] = [await aWorkspace(), await aWorkspace()];
    const access = await memberships().accessOf(keyOf(mine.id, 'member'), mine.id);
    expect(access?.permissions).toEqual(permissionsOf('member'));
    expect(await memberships().accessOf(keyOf(mine.id, 'member'), other.id)).toBeNull();
    expect(await memberships().accessOf(keyOf(mine.id, 'superuser'), mine.id)).toBeNull();
  });

  it('narrows a key to its scopes, and widens it by none', async () => {
    const { id } = await aWorkspace();
    const permissionsWith = async (role: string, scopes: readonly string[]) => [
      ...((await memberships().accessOf(keyOf(id, role, scopes), id))?.permissions ?? []),
    ];
    expect(await permissionsWith('member', ['run:start', 'run:read'])).toEqual(['run:start', 'run:read']);
    expect(await permissionsWith('viewer', ['run:start', 'run:read'])).toEqual(['run:read']);
    expect(await permissionsWith('admin', ['no:such', 'billing:manage'])).toEqual([]);
  });

  it('holds the role of a member until the transaction ends', async () => {
    const person = randomUUID();
    const { id } = await aWorkspace({ [person]: 'admin' });
    const rooms = memberships();
    expect(await testDb().db.tenant(id, (tx) => rooms.heldRole(tx, id, randomUUID()))).toBeNull();
    await testDb().db.tenant(id, async (tx) => {
      expect(await rooms.heldRole(tx, id, person)).toBe('admin');
      const removal = testDb().sql(
        `set lock_timeout = '100ms'; delete from workspace_members where user_id = '${person}'`,
      );
      await expect(removal).rejects.toThrow('lock timeout');
    });
  });

  it('lists members page by page with their names, nulls for who is gone', async () => {
    const [a, b] = [randomUUID(), randomUUID()].toSorted() as [string, string];
    const { id, ownerId } = await aWorkspace({ [a]: 'admin', [b]: 'viewer' });
    const names = new KnownNames(new Map([[a, { name: 'Ada', email: 'ada@example.com' }]]));
    const seen: unknown[] = [];
    let afterUserId: string | null = null;
    for (;;) {
      const page = await memberships(names).list(id, { afterUserId, limit: 2 });
      seen.push(...page.data.map(({ userId, role, name, email }) => ({ userId, role, name, email })));
      if (!page.hasMore) break;
      afterUserId = page.data.at(-1)?.userId ?? null;
    }
    const expected = [
      { userId: a, role: 'admin', name: 'Ada', email: 'ada@example.com' },
      { userId: b, role: 'viewer', name: null, email: null },
      { userId: ownerId, role: 'owner', name: null, email: null },
    ];
    expect(seen).toEqual(expected.toSorted((x, y) => (x.userId < y.userId ? -1 : 1)));
    expect(names.asked).toHaveLength(2);
  });

  it('lists the members of one role alone, page by page', async () => {
    const people = Array.from({ length: 3 }, randomUUID).toSorted();
    const { id, ownerId } = await aWorkspace(Object.fromEntries(people.map((person) => [person, 'viewer'])));
    const listed = async (role: string, afterUserId: string | null) =>
      (await memberships().list(id, { role, afterUserId, limit: 2 })).data.map(({ userId }) => userId);
    expect(await listed('viewer', null)).toEqual(people.slice(0, 2));
    expect(await listed('viewer', people[1] ?? null)).toEqual(people.slice(2));
    expect(await listed('owner', null)).toEqual([ownerId]);
    expect(await listed('admin', null)).toEqual([]);
  });

  it('refuses to add an owner who belongs to as many workspaces as allowed', async () => {
    const person = randomUUID();
    for (let count = 0; count < JOINED_MAX; count += 1) await aWorkspace({ [person]: 'viewer' });
    const adding = testDb().db.control((tx) =>
      memberships().addOwner(tx, randomUUID(), { userId: person, now: null }),
    );
    await expect(adding).rejects.toMatchObject({ code: 'workspace.joined_limit_reached' });
  });
});
