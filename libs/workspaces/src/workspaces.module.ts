import { Module, type OnModuleInit } from '@nestjs/common';
import { Loops } from '#platform';
import { WorkspacesEntitiesModule } from './workspaces.entity';
import { AuditExports } from './audit/audit-exports.service';
import { AuditLogController } from './audit/audit-log.controller';
import { AuditLogRepository } from './audit/audit-log.repository';
import { AuditLog } from './audit/audit-log.service';
import { AccountClosing } from './deletion/account-closing.service';
import { DeletionController } from './deletion/deletion.controller';
import { WorkspaceDeletions } from './deletion/workspace-deletions.service';
import { WorkspacePurgeDuty } from './deletion/workspace-purge.loop';
import { AccessRevoker } from './members/access-revoker';
import { ActingMembers } from './members/acting-members.service';
import { MemberChanges } from './members/member-changes.service';
import { InvitationExpiry } from './invitations/invitation-expiry.loop';
import { InvitationGrants } from './invitations/invitation-grants.service';
import { InvitationsController } from './invitations/invitations.controller';
import { Invitations } from './invitations/invitations.service';
import { InviteLinksController } from './invitations/invite-links.controller';
import { InviteLinks } from './invitations/invite-links.service';
import { MyInvitationsController } from './invitations/my-invitations.controller';
import { MyInvitations } from './invitations/my-invitations.service';
import { OfferPageController } from './invitations/offer-page.controller';
import { OffersController } from './invitations/offers.controller';
import { Offers } from './invitations/offers.service';
import { Joining } from './members/joining.service';
import { MembersController } from './members/members.controller';
import { MembershipController } from './members/membership.controller';
import { MembersRepository } from './members/members.repository';
import { Memberships } from './members/memberships.service';
import { OwnershipTransfers } from './members/ownership-transfers.service';
import { WorkspaceChanges } from './workspace/workspace-changes.service';
import { WorkspacesController } from './workspace/workspaces.controller';
import { Workspaces } from './workspace/workspaces.service';

/** Workspaces, their members, invitations and audit log. Needs the ports of `ports.ts`. */
@Module({
  imports: [WorkspacesEntitiesModule],
  controllers: [
    WorkspacesController,
    DeletionController,
    MembersController,
    MembershipController,
    AuditLogController,
    InvitationsController,
    InviteLinksController,
    OffersController,
    MyInvitationsController,
    OfferPageController,
  ],
  providers: [
    Workspaces,
    WorkspaceChanges,
    WorkspaceDeletions,
    WorkspacePurgeDuty,
    AccountClosing,
    Memberships,
    MembersRepository,
    ActingMembers,
    MemberChanges,
    OwnershipTransfers,
    AccessRevoker,
    AuditLog,
    AuditLogRepository,
    AuditExports,
    Joining,
    InvitationGrants,
    Invitations,
    InviteLinks,
    Offers,
    MyInvitations,
    InvitationExpiry,
  ],
  exports: [Workspaces, WorkspaceDeletions, AccountClosing, Memberships, AuditLog, Offers],
})
export class WorkspacesModule implements OnModuleInit {
  constructor(
    private readonly loops: Loops,
    private readonly purge: WorkspacePurgeDuty,
    private readonly expiry: InvitationExpiry,
  ) {}

  onModuleInit(): void {
    this.loops.add(this.purge);
    this.loops.add(this.expiry);
  }
}
