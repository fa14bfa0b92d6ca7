import { Module } from '@nestjs/common';
import { WorkspacesEntitiesModule } from './workspaces.entity';
import { AuditLogController } from './audit/audit-log.controller';
import { AuditLogRepository } from './audit/audit-log.repository';
import { AuditLog } from './audit/audit-log.service';
import { MembersController } from './members/members.controller';
import { MembersRepository } from './members/members.repository';
import { Memberships } from './members/memberships.service';
import { WorkspacesController } from './workspace/workspaces.controller';

import { WorkspacesRepository } from './workspace/workspaces.repository';
import { Workspaces } from './workspace/workspaces.service';

/** Workspaces, their members and their audit log. Needs the port MemberNames. */
@Module({
  imports: [WorkspacesEntitiesModule],
  controllers: [WorkspacesController, MembersController, AuditLogController],
  providers: [Workspaces, WorkspacesRepository, Memberships, MembersRepository, AuditLog, AuditLogRepository],
  exports: [Workspaces, Memberships, AuditLog],
})
export class WorkspacesModule {}
