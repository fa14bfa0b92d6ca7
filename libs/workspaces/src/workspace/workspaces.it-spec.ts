import { randomUUID } from 'node:crypto';
import {
  type Access,
  Idempotency,
  type IdempotencyKey,
  parseConfig,
  SystemRandom,
  UuidV7Ids,
} from '#platform';
import { barrier, PinnedClock, useTestDb } from '#platform/testing';
import { AuditLogRepository } from '../audit/audit-log.repository';
import { AuditLog } from '../audit/audit-log.service';
import type { AuditOrigin } from '../audit/audit-origin';
import { MembersRepository } from '../members/members.repository';
import { Memberships, OWNED_MAX } from '../members/memberships.service';
import { permissionsOf } from '../members/role';
import { MemberNames } from '../ports';
import { workspacesEntities } from '../tables';
import type { WorkspaceView } from './workspaces.dto';
import { Workspaces } from './workspaces.service';

class NoNames extends MemberNames {
  of() {
    return Promise.resolve(new Map());
  }
}

const origin: AuditOrigin = {
  actor: { kind: 'user', id: randomUUID() },
  ip: '203.0.113.7',
  userAgent: 'curl/8',
};

describe('Workspaces', () => {
  const testDb = useTestDb({ entities: [...workspacesEntities] });

  function rooms() {
    const { db, directory } = testDb();
    const clock = new PinnedClock('2026-01-31T09:30:00.250Z');
    const random = new SystemRandom();
    const ids = new UuidV7Ids(clock, random);
    const memberships = new Memberships(db, new MembersRepository(), new NoNames());
    const auditLog = new AuditLog(db, ids, clock, new AuditLogRepository());
    const workspaces = new Workspaces(
      db, directory, parseConfig({ DEFAULT_PLAN: 'workspace' }), clock, ids, random,
      new Idempotency(), memberships, auditLog,
    ); // prettier-ignore
    return { workspaces, memberships, auditLog, clock };
  }

  const accessTo = (workspace: WorkspaceView): Access => ({
    workspaceId: workspace.id,
    role: 'owner',
    permissions: permissionsOf('owner'),
  });

  function keyOf(key: string): IdempotencyKey {
    return { scope: 'test', key, requestHash: Buffer.alloc(32), workspaceId: null };
  }

  it('creates a workspace on the configured plan, placed, owned, anchored at a whole second and audited', async () => {
    const { workspaces, memberships, auditLog } = rooms();
    const ownerId = randomUUID();
    const created = await workspaces.create({ ownerId, name: ' Müller & Söhne ', origin }, null);
    expect(created).toMatchObject({
      name: 'Müller & Söhne', slug: 'muller-sohne', plan: 'workspace', role: 'owner', ownerId, createdBy: ownerId,
    }); // prettier-ignore
    expect(await testDb().db.cellOf(created.id)).toBe('cell_1');
    expect(await workspaces.get(accessTo(created))).toEqual(created);
    const user = { kind: 'user', userId: ownerId, sessionId: 's', via: 'cookie' } as const;
    expect((await memberships.accessOf(user, created.id))?.role).toBe('owner');
    expect((await workspaces.plansOf([created.id, randomUUID()])).get(created.id)).toEqual({
      plan: 'workspace',
      anchorAt: new Date('2026-01-31T09:30:00Z'),
    });
    const { data } = await auditLog.list(created.id, { beforeId: null, limit: 10 });
    expect(data).toMatchObject([{ action: 'workspace.created', actor: origin.actor, ip: '203.0.113.7' }]);
  });

  it('creates nothing when the surrounding transaction fails, and can be tried again', async () => {
    const { workspaces } = rooms();
    const wanted = { ownerId: randomUUID(), name: 'Personal' };
    const prepared = await workspaces.prepare();
    const failing = testDb().db.control(async (tx) => {
      await workspaces.createIn(tx, prepared, wanted);
      throw new Error('the rest of the sign-up failed');
    });
    await expect(failing).rejects.toThrow('the rest of the sign-up failed');
    expect((await workspaces.listOf(wanted.ownerId, { afterId: null, limit: 10 })).data).toEqual([]);
    const view = await testDb().db.control((tx) => workspaces.createIn(tx, prepared, wanted));
    expect((await workspaces.listOf(wanted.ownerId, { afterId: null, limit: 10 })).data).toEqual([view]);
  });

  it('answers a repeated Idempotency-Key with the first workspace', async () => {
    const { workspaces } = rooms();
    const wanted = { ownerId: randomUUID(), name: 'Once' };
    const first = await workspaces.create(wanted, keyOf('k1'));
    expect(await workspaces.create(wanted, keyOf('k1'))).toEqual(first);
    expect((await workspaces.listOf(wanted.ownerId, { afterId: null, limit: 10 })).data).toHaveLength(1);
  });

  // Seen to fail with a plain insert: requests ended in a violation of workspaces_slug_key.
  it('gives workspaces of one name created at the same moment different slugs', async () => {
    const { workspaces } = rooms();
    const go = barrier(10);
    const created = await Promise.all(
      Array.from({ length: 10 }, async () => {
        await go();
        return workspaces.create({ ownerId: randomUUID(), name: 'Same name' }, null);
      }),
    );
    const slugs = created.map(({ slug }) => slug);
    expect(new Set(slugs).size).toBe(10);
    expect(slugs.filter((slug) => slug === 'same-name')).toHaveLength(1);
    expect(slugs.every((slug) => /^same-name(-[a-z2-9]{6})?$/.test(slug))).toBe(true);
  });

  it.each(['', '   ', 'x'.repeat(101), 'a\u0000b', 'half \ud800'])('refuses the name %j', async (name) => {
    const { workspaces } = rooms();
    await expect(workspaces.create({ ownerId: randomUUID(), name }, null)).rejects.toMatchObject({
      code: 'request.invalid',
    });
  });

  // Seen to fail without lockMembershipsOf: 15 or 16 of 16 were created in three rounds.
  it('lets one person own exactly as many as allowed, however many ask at once', async () => {
    const { workspaces } = rooms();
    const ownerId = randomUUID();
    const go = barrier(16);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 16 }, async (_, index) => {
        await go();
        return workspaces.create({ ownerId, name: `Number ${index}` }, null);
      }),
    );
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(OWNED_MAX);
    expect(refused.map(({ code }) => code)).toEqual(
      Array.from({ length: 6 }, () => 'workspace.owned_limit_reached'),
    );
  });

  it('counts no deleted workspace against the limit', async () => {
    const { workspaces } = rooms();
    const ownerId = randomUUID();
    for (let index = 0; index < OWNED_MAX; index += 1) {
      await workspaces.create({ ownerId, name: `W ${index}` }, null);
    }
    await testDb().sql(
      'update workspaces set deleted_at = now(), purge_at = now() where owner_id = $1 and name = $2',
      [ownerId, 'W 3'],
    );
    await expect(workspaces.create({ ownerId, name: 'One more' }, null)).resolves.toMatchObject({
      role: 'owner',
    });
  });

  it('lists page by page, leaving out deleted ones', async () => {
    const { workspaces, clock } = rooms();
    const ownerId = randomUUID();
    const made: WorkspaceView[] = [];
    for (const name of ['A', 'B', 'C', 'D']) {
      clock.advance(1_000);
      made.push(await workspaces.create({ ownerId, name }, null));
    }
    await testDb().sql('update workspaces set deleted_at = now(), purge_at = now() where id = $1', [
      made[1]?.id,
    ]);
    const first = await workspaces.listOf(ownerId, { afterId: null, limit: 2 });
    expect(first.data.map(({ name }) => name)).toEqual(['A', 'C']);
    expect(first.hasMore).toBe(true);
    const second = await workspaces.listOf(ownerId, { afterId: made[2]?.id ?? null, limit: 2 });
    expect(second).toMatchObject({ data: [{ name: 'D' }], hasMore: false, nextCursor: null });
  });

  it('finds no deleted workspace', async () => {
    const { workspaces } = rooms();
    const created = await workspaces.create({ ownerId: randomUUID(), name: 'Gone' }, null);
    await testDb().sql('update workspaces set deleted_at = now(), purge_at = now() where id = $1', [
      created.id,
    ]);
    await expect(workspaces.get(accessTo(created))).rejects.toMatchObject({ code: 'request.not_found' });
    expect((await workspaces.plansOf([created.id])).size).toBe(0);
  });

  describe('the database', () => {
    it('holds that a workspace has no second owner', async () => {
      const { workspaces } = rooms();
      const { id } = await workspaces.create({ ownerId: randomUUID(), name: 'One owner' }, null);
      const second = testDb().sql(`insert into workspace_members values ($1, $2, 'owner')`, [
        id,
        randomUUID(),
      ]);
      await expect(second).rejects.toMatchObject({ constraint: 'workspace_members_owner_key' });
    });

    it('holds that a workspace never lacks its owner', async () => {
      const { workspaces } = rooms();
      const { id } = await workspaces.create({ ownerId: randomUUID(), name: 'Kept owner' }, null);
      const removed = testDb().sql('delete from workspace_members where workspace_id = $1', [id]);
      await expect(removed).rejects.toMatchObject({ constraint: 'workspaces_owner_fkey' });
      const demoted = testDb().sql(`update workspace_members set role = 'admin' where workspace_id = $1`, [
        id,
      ]);
      await expect(demoted).rejects.toMatchObject({ constraint: 'workspaces_owner_fkey' });
    });

    it('lets ownership be handed over, and a workspace be purged with all it has', async () => {
      const { workspaces } = rooms();
      const [from, to] = [randomUUID(), randomUUID()];
      const { id } = await workspaces.create({ ownerId: from, name: 'Handed over' }, null);
      await testDb().sql(`insert into workspace_members values ($1, $2, 'admin')`, [id, to]);
      await testDb().sql(`
        begin;
        update workspace_members set role = 'admin' where workspace_id = '${id}' and user_id = '${from}';
        update workspace_members set role = 'owner' where workspace_id = '${id}' and user_id = '${to}';
        update workspaces set owner_id = '${to}' where id = '${id}';
        commit;`);
      expect((await workspaces.listOf(to, { afterId: null, limit: 5 })).data).toMatchObject([
        { role: 'owner' },
      ]);
      await testDb().sql('delete from workspaces where id = $1', [id]);
      expect(await testDb().sql('select from workspace_members where workspace_id = $1', [id])).toEqual([]);
    });
  });
});
