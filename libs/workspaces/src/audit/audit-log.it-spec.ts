import { randomUUID } from 'node:crypto';
import { type Clock, statement, SystemClock, SystemRandom, UuidV7Ids } from '#platform';
import { PinnedClock, useTestDb } from '#platform/testing';
import { workspacesEntities } from '../tables';
import { actingAs } from '../testing/workspace-rooms';
import { AuditExports } from './audit-exports.service';
import { auditExportQuery, type AuditFilter, auditLogQuery } from './audit-log.dto';
import { AuditLogRepository } from './audit-log.repository';
import { AuditLog } from './audit-log.service';
import type { AuditOrigin } from './audit-origin';

const rewrite = statement<[], unknown>(
  'test-rewrite-audit-log',
  `update workspace_audit_log set action = 'a.b'`,
);
const erase = statement<[], unknown>('test-erase-audit-log', `delete from workspace_audit_log`);
const empty = statement<[], unknown>('test-empty-audit-log', `truncate workspace_audit_log`);

const asOwner = statement<[], unknown>('test-as-owner', `set local role millrace_owner`);

const system: AuditOrigin = { actor: { kind: 'system', id: null }, ip: null, userAgent: null };

describe('AuditLog', () => {
  const testDb = useTestDb({ entities: [...workspacesEntities] });

  const auditLog = (clock: Clock = new SystemClock()) => {
    return new AuditLog(
      testDb().db,
      new UuidV7Ids(clock, new SystemRandom()),
      clock,
      new AuditLogRepository(),
    );
  };

  async function aWorkspace(): Promise<string> {
    const [id, ownerId] = [randomUUID(), randomUUID()];
    await testDb().sql(`
      begin;
      insert into tenants (workspace_id) values ('${id}');
      insert into workspace_directory (workspace_id, cell_id) values ('${id}', 'cell_1');
      insert into workspaces (id, name, slug, created_by, owner_id, anchor_at)
        values ('${id}', 'W', 'w-${id}', '${ownerId}', '${ownerId}', date_trunc('second', now()));
      insert into workspace_members (workspace_id, user_id, role) values ('${id}', '${ownerId}', 'owner');
      commit;`);
    return id;
  }

  function append(log: AuditLog, workspaceId: string, targetId: string) {
    return testDb().db.tenant(workspaceId, (tx) =>
      log.record(tx, {
        workspaceId,
        origin: system,
        action: 'thing.changed',
        target: { kind: 'thing', id: targetId },
      }),
    );
  }

  it('shows all that was recorded', async () => {
    const workspaceId = await aWorkspace();
    const actor = { kind: 'api_key', id: randomUUID() } as const;
    const log = auditLog();
    await testDb().db.tenant(workspaceId, (tx) =>
      log.record(tx, {
        workspaceId,
        origin: { actor, ip: '2001:db8::1', userAgent: 'curl/8' },
        action: 'member.removed',
        target: { kind: 'member', id: 'someone' },
        before: { role: 'admin', "it's": ['a', 1, null] },
        reason: 'left the company',
      }),
    );
    const { data } = await log.list(workspaceId, { beforeId: null, limit: 10 });
    expect(data).toEqual([
      {
        id: expect.any(String),
        at: expect.any(String),
        actor,
        action: 'member.removed',
        target: { kind: 'member', id: 'someone' },
        before: { role: 'admin', "it's": ['a', 1, null] },
        after: null,
        reason: 'left the company',
        ip: '2001:db8::1',
        userAgent: 'curl/8',
      },
    ]);
  });

  it('pages from the newest to the oldest, and never into another workspace', async () => {
    const [workspaceId, other] = [await aWorkspace(), await aWorkspace()];
    const log = auditLog();
    for (const target of ['1', '2', '3', '4', '5']) {
      await append(log, workspaceId, target);
      await append(log, other, `other ${target}`);
    }
    const seen: string[] = [];
    let beforeId: string | null = null;
    for (;;) {
      const page = await log.list(workspaceId, { beforeId, limit: 2 });
      seen.push(...page.data.map(({ target }) => target.id));
      if (!page.hasMore) break;
      beforeId = page.data.at(-1)?.id ?? null;
    }
    expect(seen).toEqual(['5', '4', '3', '2', '1']);
  });

  it('forgets the entry when the change is rolled back', async () => {
    const workspaceId = await aWorkspace();
    const log = auditLog();
    const failing = testDb().db.tenant(workspaceId, async (tx) => {
      await log.record(tx, {
        workspaceId,
        origin: system,
        action: 'a.b',
        target: { kind: 'thing', id: '1' },
      });
      throw new Error('the change failed');
    });
    await expect(failing).rejects.toThrow('the change failed');
    expect((await log.list(workspaceId, { beforeId: null, limit: 10 })).data).toEqual([]);
  });

  it.each([rewrite, erase, empty])('cannot be changed by a request: $name', async (change) => {
    const workspaceId = await aWorkspace();
    await append(auditLog(), workspaceId, '1');
    const attempt = testDb().db.tenant(workspaceId, (tx) => tx.query(change));
    await expect(attempt).rejects.toMatchObject({ code: '42501' });
  });

  // The login user of tests may be above row-level security, so the policies are asked as the owners' role alone: a role
  // that has them and nothing more, with every right that a table's owner could grant it.
  it.each([rewrite, erase])('cannot be changed by the owner role either: $name', async (change) => {
    const workspaceId = await aWorkspace();
    await append(auditLog(), workspaceId, '1');
    await testDb().sql(`
      grant usage on schema control to millrace_owner;
      grant all on workspace_audit_log to millrace_owner;`);
    await testDb().db.control(async (tx) => {
      await tx.query(asOwner);
      await tx.query(change);
    });
    const { data } = await auditLog().list(workspaceId, { beforeId: null, limit: 10 });
    expect(data).toMatchObject([{ action: 'thing.changed' }]);
  });

  it('goes with its workspace, and in no other way', async () => {
    const workspaceId = await aWorkspace();
    await append(auditLog(), workspaceId, '1');
    await testDb().sql('delete from workspaces where id = $1', [workspaceId]);
    const left = await testDb().sql('select from workspace_audit_log where workspace_id = $1', [workspaceId]);
    expect(left).toEqual([]);
  });

  describe('filters', () => {
    const [ada, bob] = [randomUUID(), randomUUID()];

    /** Five entries, an hour apart, the first at noon. */
    async function aFilledLog() {
      const workspaceId = await aWorkspace();
      const clock = new PinnedClock('2026-02-01T12:00:00Z');
      const log = auditLog(clock);
      const entries = [
        [ada, 'member.left', 'member', 'm1'],
        [bob, 'member.left', 'member', 'm2'],
        [ada, 'api_key.created', 'api_key', 'm1'],
        [bob, 'member.revoked', 'member', 'm1'],
        [ada, 'workspace.renamed', 'workspace', 'w'],
      ] as const;
      for (const [actorId, action, kind, id] of entries) {
        const origin: AuditOrigin = { actor: { kind: 'user', id: actorId }, ip: null, userAgent: null };
        await testDb().db.tenant(workspaceId, (tx) =>
          log.record(tx, { workspaceId, origin, action, target: { kind, id } }),
        );
        clock.advance(60 * 60_000);
      }
      return { workspaceId, log };
    }

    it.each<[AuditFilter, readonly string[]]>([
      [{}, ['w', 'm1', 'm1', 'm2', 'm1']],
      [{ actorId: ada }, ['w', 'm1', 'm1']],
      [{ action: 'member.left' }, ['m2', 'm1']],
      [{ actorId: bob, action: 'member.left' }, ['m2']],
      [{ targetKind: 'member' }, ['m1', 'm2', 'm1']],
      [{ targetKind: 'member', targetId: 'm1' }, ['m1', 'm1']],
      [{ from: '2026-02-01T14:00:00Z' }, ['w', 'm1', 'm1']],
      [{ to: '2026-02-01T14:00:00Z' }, ['m2', 'm1']],
      [{ from: '2026-02-01T14:00:00+01:00', to: '2026-02-01T15:00:00Z' }, ['m1', 'm2']],
      [{ from: '2027-01-01T00:00:00Z' }, []],
      [{ to: '1969-01-01T00:00:00Z' }, []],
      [{ actorId: randomUUID() }, []],
    ])('%j gives %j, page by page', async (filter, expected) => {
      const { workspaceId, log } = await aFilledLog();
      const seen: string[] = [];
      let beforeId: string | null = null;
      for (;;) {
        const page = await log.list(workspaceId, { ...filter, beforeId, limit: 2 });
        seen.push(...page.data.map(({ target }) => target.id));
        if (!page.hasMore) break;
        beforeId = page.data.at(-1)?.id ?? null;
      }
      expect(seen).toEqual(expected);
    });

    it.each<[string, boolean]>([
      ['actorId=nobody', false],
      ['action=member', false],
      ['targetId=m1', false],
      ['targetKind=member&targetId=m1', true],
      ['from=yesterday', false],
      ['from=2026-02-01T12:00:00%2B02:00', true],
      ['targetKind=member&targetId=%00', false],
    ])('are taken as %s: %s', (query, taken) => {
      const given = Object.fromEntries(new URLSearchParams(query));
      expect(auditLogQuery.safeParse(given).success).toBe(taken);
      expect(auditExportQuery.safeParse(given).success).toBe(taken);
    });
  });

  describe('an export', () => {
    const allowed = () => Promise.resolve(true);

    async function exported(workspaceId: string, filter: AuditFilter = {}): Promise<readonly string[][]> {
      const log = auditLog();
      const exports = new AuditExports(testDb().db, log);
      const acting = actingAs(workspaceId, randomUUID(), 'admin');
      const pieces: string[] = [];
      for await (const piece of await exports.export(acting, filter, allowed)) pieces.push(piece);
      return pieces
        .join('')
        .trimEnd()
        .split('\n')
        .map((line) => line.split(','));
    }

    it('has a header, every entry once, newest first, and no formula for a spreadsheet to run', async () => {
      const workspaceId = await aWorkspace();
      const log = auditLog();
      await testDb().db.tenant(workspaceId, (tx) =>
        log.record(tx, {
          workspaceId,
          origin: { ...system, ip: '203.0.113.7', userAgent: '=HYPERLINK("http://evil")' },
          action: 'workspace.renamed',
          target: { kind: 'workspace', id: '+1' },
          after: { name: '=1+1' },
          reason: '@sum(a1)',
        }),
      );
      await append(log, workspaceId, '2');
      const [header, second, first] = await exported(workspaceId);
      expect(header?.join()).toBe(
        'at,id,actorKind,actorId,action,targetKind,targetId,before,after,reason,ip,userAgent',
      );
      expect(second?.slice(2, 7)).toEqual(['system', '', 'thing.changed', 'thing', '2']);
      expect(first?.[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(first?.slice(6)).toEqual([
        "'+1", '', '"{""name"":""=1+1""}"', "'@sum(a1)", '203.0.113.7', `"'=HYPERLINK(""http://evil"")"`,
      ]); // prettier-ignore
    });

    it('goes on over pages, obeys the filter, and is recorded without being in itself', async () => {
      const workspaceId = await aWorkspace();
      await testDb().sql(
        `insert into workspace_audit_log (id, workspace_id, actor_kind, action, target_kind, target_id)
         select ('0198c0de-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $1, 'system', 'thing.changed', 'thing', n
           from generate_series(1, 1001) n`,
        [workspaceId],
      );
      const lines = await exported(workspaceId);
      expect(lines.slice(1).map((cells) => Number(cells[6]))).toEqual(
        Array.from({ length: 1001 }, (_, index) => 1001 - index),
      );
      expect(await exported(workspaceId, { targetKind: 'thing', targetId: '7' })).toHaveLength(2);
      const { data } = await auditLog().list(workspaceId, {
        action: 'audit_log.exported',
        beforeId: null,
        limit: 5,
      });
      expect(data).toMatchObject([{ after: { targetKind: 'thing', targetId: '7' } }, { after: {} }]);
    });

    it('breaks off before the next page of who may no longer read it', async () => {
      const workspaceId = await aWorkspace();
      await testDb().sql(
        `insert into workspace_audit_log (id, workspace_id, actor_kind, action, target_kind, target_id)
         select ('0198c0df-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $1, 'system', 'thing.changed', 'thing', n
           from generate_series(1, 501) n`,
        [workspaceId],
      );
      const exports = new AuditExports(testDb().db, auditLog());
      const acting = actingAs(workspaceId, randomUUID(), 'admin');
      const pieces = (await exports.export(acting, {}, () => Promise.resolve(false)))[Symbol.asyncIterator]();
      expect((await pieces.next()).value).toContain('actorKind');
      expect((await pieces.next()).value?.trimEnd().split('\n')).toHaveLength(500);
      await expect(pieces.next()).rejects.toMatchObject({ type: { code: 'request.forbidden' } });
    });
  });

  it('takes no entry of another workspace from a request', async () => {
    const [mine, other] = [await aWorkspace(), await aWorkspace()];
    const forged = testDb().db.tenant(mine, (tx) =>
      auditLog().record(tx, {
        workspaceId: other,
        origin: system,
        action: 'a.b',
        target: { kind: 'thing', id: '1' },
      }),
    );
    await expect(forged).rejects.toMatchObject({ code: '42501' });
  });
});
