import { randomUUID } from 'node:crypto';
import { statement, SystemClock, SystemRandom, UuidV7Ids } from '#platform';
import { useTestDb } from '#platform/testing';
import { workspacesEntities } from '../tables';
import { AuditLogRepository } from './audit-log.repository';
import { AuditLog } from './audit-log.service';
import type { AuditOrigin } from './audit-origin';

const rewrite = statement<[], unknown>(
  'test-rewrite-audit-log',
  `update workspace_audit_log set action = 'a.b'`,
);
const erase = statement<[], unknown>('test-erase-audit-log', `delete from workspace_audit_log`);
const empty = statement<[], unknown>('test-empty-audit-log', `truncate workspace_audit_log`);

const system: AuditOrigin = { actor: { kind: 'system', id: null }, ip: null, userAgent: null };

describe('AuditLog', () => {
  const testDb = useTestDb({ entities: [...workspacesEntities] });

  const auditLog = () => {
    const clock = new SystemClock();
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
