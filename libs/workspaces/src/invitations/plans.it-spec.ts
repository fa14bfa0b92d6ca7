import { planOf, useTestDb } from '#platform/testing';
import { countSeatsTaken, raiseMember } from '../members/joining.sql';
import { findMember } from '../members/member-changes.sql';
import {
  acceptInvitation,
  closeExpiredInvitations,
  closeOpenInvitation,
  countInvitations,
  declineInvitation,
  findInvitation,
  listInvitations,
  listInvitationsTo,
  renewInvitation,
  revokeInvitation,
  withdrawInvitations,
} from './invitation.sql';
import {
  findInviteLink,
  listInviteLinks,
  revokeInviteLink,
  spendInviteLink,
  withdrawInviteLinks,
} from './invite-link.sql';
import { findOffer, findOfferById } from './offer.sql';

describe('Statements of invitations', () => {
  const testDb = useTestDb();

  /** With a few rows a table is read whole, whatever indexes it has. */
  beforeAll(async () => {
    const { sql } = testDb();
    await sql(`
      begin;
      create temporary table made on commit drop as select gen_random_uuid() as id, gen_random_uuid() as owner_id, n
        from generate_series(1, 2000) n;
      insert into tenants (workspace_id) select id from made;
      insert into workspaces (id, name, slug, created_by, owner_id, anchor_at)
        select id, 'W', 'w-' || n, owner_id, owner_id, date_trunc('second', now()) from made;
      insert into workspace_members (workspace_id, user_id, role) select id, owner_id, 'owner' from made;
      insert into workspace_invitations (id, workspace_id, email, role, token_hash, created_at, sent_at, expires_at)
        select gen_random_uuid(), id, m || '@example.com', 'viewer', sha256((id::text || m)::bytea), now(), now(),
               now() + interval '7 days' from made, generate_series(1, 5) m;
      insert into workspace_invite_links (id, workspace_id, role, token_hash, allowed_domains, created_at, expires_at)
        select gen_random_uuid(), id, 'viewer', sha256(id::text::bytea), '{}', now(), now() + interval '7 days' from made;
      commit`);
    await sql('analyze workspaces, workspace_members, workspace_invitations, workspace_invite_links');
  }, 60_000);

  it.each([
    { found: findMember, indexes: ['workspace_members_user_id_idx'] },
    { found: raiseMember, indexes: ['workspace_members_user_id_idx'] },
    { found: countSeatsTaken, indexes: ['workspace_members_', 'workspace_invitations_'] },
    { found: closeOpenInvitation, indexes: ['workspace_invitations_open_key'] },
    { found: countInvitations, indexes: ['workspace_invitations_'] },
    { found: listInvitations, indexes: ['workspace_invitations_workspace_id_idx'] },
    { found: findInvitation, indexes: ['workspace_invitations_workspace_id_idx'] },
    { found: renewInvitation, indexes: ['workspace_invitations_workspace_id_idx'] },
    { found: revokeInvitation, indexes: ['workspace_invitations_workspace_id_idx'] },
    { found: acceptInvitation, indexes: ['workspace_invitations_pkey'] },
    { found: declineInvitation, indexes: ['workspace_invitations_pkey'] },
    { found: withdrawInvitations, indexes: ['workspace_invitations_'] },
    { found: listInvitationsTo, indexes: ['workspace_invitations_email_idx', 'workspaces_pkey'] },
    {
      found: closeExpiredInvitations,
      indexes: ['workspace_invitations_expires_at_idx', 'workspace_invitations_pkey'],
    },
    { found: listInviteLinks, indexes: ['workspace_invite_links_workspace_id_idx'] },
    { found: findInviteLink, indexes: ['workspace_invite_links_workspace_id_idx'] },
    { found: revokeInviteLink, indexes: ['workspace_invite_links_workspace_id_idx'] },
    { found: spendInviteLink, indexes: ['workspace_invite_links_pkey'] },
    { found: withdrawInviteLinks, indexes: ['workspace_invite_links_workspace_id_idx'] },
    {
      found: findOffer,
      indexes: [
        'workspace_invitations_token_hash_key',
        'workspace_invite_links_token_hash_key',
        'workspaces_pkey',
      ],
    },
    { found: findOfferById, indexes: ['workspace_invitations_pkey', 'workspaces_pkey'] },
  ])('$found.name finds its rows by an index', async ({ found, indexes }) => {
    const plan = await planOf(testDb().db, found);
    for (const index of indexes) expect(plan).toContain(index);
    expect(plan).not.toContain('Seq Scan');
  });
});
