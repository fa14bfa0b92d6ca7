import { planOf, useTestDb } from '#platform/testing';
import {
  deleteWorkspace,
  beginPurges,
  endPurge,
  listDeleted,
  listDeletedOf,
  restoreWorkspace,
} from './deletion/deletion.sql';
import {
  changeRole,
  demoteOwner,
  findMember,
  promoteToOwner,
  removeMember,
  setOwner,
} from './members/member-changes.sql';
import { countMembershipsOf, findLiveWorkspace, findRole, holdRole } from './members/membership.sql';
import {
  changeWorkspace,
  findPlans,
  findWorkspace,
  listWorkspacesOf,
  lockWorkspace,
} from './workspace/workspace.sql';

const ROWS = 5_000;

/** Two indexes hold person and workspace, in either order: each finds the one row. */
const ONE_MEMBER = '((user_id = $2) AND (workspace_id = $1))';

describe('Statements of workspaces', () => {
  const testDb = useTestDb();

  /** With a few rows a table is read whole, whatever indexes it has. Everybody owns one and belongs to four. */
  beforeAll(async () => {
    await testDb().sql(`
      begin;
      insert into workspaces (id, name, slug, created_by, owner_id, anchor_at, deleted_at, purge_at)
        select id, 'W', 'w-' || id, id, id, date_trunc('second', now()), deleted, deleted + interval '30 days'
          from (select gen_random_uuid() as id, case when n % 50 = 0 then now() end as deleted
                  from generate_series(1, ${ROWS}) n) w;
      insert into workspace_members (workspace_id, user_id, role) select id, id, 'owner' from workspaces;
      insert into workspace_members (workspace_id, user_id, role)
        select w.id, u.id, 'viewer'
          from (select id, row_number() over (order by id) as n from workspaces) w
          join (select id, row_number() over (order by id) as n from workspaces) u on (w.n - u.n) between 1 and 3;
      insert into workspace_audit_log (id, workspace_id, actor_kind, actor_id, action, target_kind, target_id)
        select gen_random_uuid(), w.id, 'user', w.id, case n % 2 when 0 then 'a.b' else 'c.d' end, 'thing', n
          from (select id from workspaces limit 100) w, generate_series(1, 200) n;
      commit;
      analyze workspaces, workspace_members, workspace_audit_log;`);
  }, 60_000);

  it.each([
    { found: findRole, indexes: [ONE_MEMBER, 'workspaces_pkey'] },
    { found: holdRole, indexes: [ONE_MEMBER, 'workspaces_pkey'] },
    { found: findLiveWorkspace, indexes: ['workspaces_pkey'] },
    { found: countMembershipsOf, indexes: ['workspace_members_user_id_idx', 'workspaces_pkey'] },
    { found: findMember, indexes: [ONE_MEMBER] },
    { found: changeRole, indexes: [ONE_MEMBER] },
    { found: removeMember, indexes: [ONE_MEMBER] },
    { found: demoteOwner, indexes: ['workspace_members_owner_key'] },
    { found: promoteToOwner, indexes: [ONE_MEMBER] },
    { found: setOwner, indexes: ['workspaces_pkey'] },
    { found: lockWorkspace, indexes: ['workspaces_pkey'] },
    { found: findWorkspace, indexes: ['workspaces_pkey'] },
    { found: changeWorkspace, indexes: ['workspaces_pkey'] },
    { found: listWorkspacesOf, indexes: ['workspace_members_user_id_idx', 'workspaces_pkey'] },
    { found: findPlans, indexes: ['workspaces_pkey'] },
    { found: deleteWorkspace, indexes: ['workspaces_pkey'] },
    { found: listDeletedOf, indexes: ['workspace_members_user_id_idx', 'workspaces_pkey'] },
    { found: restoreWorkspace, indexes: ['workspaces_pkey'] },
    { found: beginPurges, indexes: ['workspaces_purge_at_idx', 'workspaces_pkey'] },
    { found: endPurge, indexes: ['workspaces_pkey'] },
    { found: listDeleted, indexes: ['workspaces_purge_at_idx'] },
  ])('$found.name finds its rows by an index', async ({ found, indexes }) => {
    const plan = (await planOf(testDb().db, found)).replace(
      '((workspace_id = $1) AND (user_id = $2))',
      ONE_MEMBER,
    );
    for (const index of indexes) expect(plan).toContain(index);
    expect(plan).not.toContain('Seq Scan');
  });

  // As AuditLogRepository.list asks, whose text is TypeORM's.
  it.each([
    ['', 'workspace_audit_log_workspace_id_id_idx'],
    ['and id >= $2::uuid and at >= now()', 'workspace_audit_log_workspace_id_id_idx'],
    ['and actor_id = $2::uuid', 'workspace_audit_log_actor_idx'],
    ['and action = $2::text', 'workspace_audit_log_action_idx'],
    ['and target_kind = $2::text and target_id = $3::text', 'workspace_audit_log_target_idx'],
  ])('the audit log filtered %s is found by an index', async (filter, index) => {
    // The server cuts long names.
    const name = `audit-${filter.length}`;
    const text = `select * from workspace_audit_log where workspace_id = $1::uuid ${filter} order by id desc limit 21`;
    const plan = await planOf(testDb().db, { name, text });
    expect(plan).toContain(index);
    expect(plan).not.toContain('Seq Scan');
  });
});
