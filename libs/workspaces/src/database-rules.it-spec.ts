import { randomUUID } from 'node:crypto';
import { useTestDb } from '#platform/testing';

/** What the database holds by itself, whatever the code above it does. Invitations have theirs beside them. */
describe('The database', () => {
  const testDb = useTestDb();
  const workspaceId = randomUUID();
  const ownerId = randomUUID();
  const memberId = randomUUID();

  beforeAll(async () => {
    await testDb().sql(`
      begin;
      insert into workspaces (id, name, slug, created_by, owner_id, anchor_at)
        values ('${workspaceId}', 'Mill', 'mill', '${ownerId}', '${ownerId}', date_trunc('second', now()));
      insert into workspace_members (workspace_id, user_id, role) values
        ('${workspaceId}', '${ownerId}', 'owner'), ('${workspaceId}', '${memberId}', 'member');
      commit;`);
  });

  const set = (assignment: string) => `update workspaces set ${assignment} where id = '${workspaceId}'`;
  const member = (values: string) =>
    `insert into workspace_members (workspace_id, user_id, role) values (${values})`;
  const link = (columns: string, values: string) =>
    `insert into workspace_invite_links
       (id, workspace_id, role, token_hash, allowed_domains, created_at, expires_at${columns})
     values (gen_random_uuid(), '${workspaceId}', 'viewer', sha256(gen_random_uuid()::text::bytea), '{}', now(),
             now() + interval '1 day'${values})`;
  const another = (id: string, slug: string) =>
    `insert into workspaces (id, name, slug, created_by, owner_id, anchor_at)
     values ('${id}', 'Other', '${slug}', '${ownerId}', '${ownerId}', date_trunc('second', now()))`;

  it.each([
    ['a slug belongs to one workspace', another(randomUUID(), 'mill'), 'workspaces_slug_key'],
    ['a slug is made of words and dashes', set(`slug = 'Mill & Sons'`), 'workspaces_slug_check'],
    ['a slug begins and ends with a word', set(`slug = '-mill-'`), 'workspaces_slug_check'],
    ['a workspace has a name', set(`name = ''`), 'workspaces_name_check'],
    ['a name has at most 100 characters', set(`name = repeat('x', 101)`), 'workspaces_name_check'],
    ['settings are an object', set(`settings = '[]'`), 'workspaces_settings_check'],
    ['what is deleted is purged some day', set(`deleted_at = now()`), 'workspaces_purge_at_check'],
    ['what is not deleted is never purged', set(`purge_at = now()`), 'workspaces_purge_at_check'],
    ['the owner is a member, as the owner', set(`owner_id = '${memberId}'`), 'workspaces_owner_fkey'],
    ['a workspace is made with its owner', another(randomUUID(), 'ownerless'), 'workspaces_owner_fkey'],
    [
      'there is one owner',
      member(`'${workspaceId}', gen_random_uuid(), 'owner'`),
      'workspace_members_owner_key',
    ],
    [
      'a person is a member once',
      member(`'${workspaceId}', '${memberId}', 'viewer'`),
      'workspace_members_pkey',
    ],
    [
      'roles are four',
      member(`'${workspaceId}', gen_random_uuid(), 'emperor'`),
      'workspace_members_role_check',
    ],
    [
      'members are in a workspace that exists',
      member(`gen_random_uuid(), '${memberId}', 'viewer'`),
      'workspace_members_workspace_id_fkey',
    ],
    [
      'a link gives no ownership',
      link('', '').replace(`'viewer'`, `'owner'`),
      'workspace_invite_links_role_check',
    ],
    ['a link lets somebody in', link(', max_uses', ', 0'), 'workspace_invite_links_max_uses_check'],
    [
      'a link lets in no more than it may',
      link(', max_uses, used_count', ', 2, 3'),
      'workspace_invite_links_used_count_check',
    ],
    [
      'a link expires within 60 days',
      link('', '').replace('1 day', '61 days'),
      'workspace_invite_links_expires_at_check',
    ],
  ])('holds that %s', async (_rule, sql, constraint) => {
    await expect(testDb().sql(sql)).rejects.toMatchObject({ constraint });
  });
});
