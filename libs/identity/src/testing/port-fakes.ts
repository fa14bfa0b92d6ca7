import { Injectable } from '@nestjs/common';
import { type Access, Ids, type Principal, TenantDirectory, type Tx, WorkspaceAccess } from '#platform';
import {
  type AuditEntry,
  AuditWriter,
  type PersonalWorkspace,
  PersonalWorkspaces,
  type PreparedWorkspace,
  RoleGrants,
  type UserWorkspace,
  UserWorkspaces,
} from '../ports';

/** Workspaces that exist by their directory entry alone, remembered once they are committed. */
@Injectable()
export class FakeWorkspaces extends PersonalWorkspaces {
  readonly created: (PersonalWorkspace & { readonly id: string })[] = [];
  fault: Error | null = null;

  constructor(
    private readonly directory: TenantDirectory,
    private readonly ids: Ids,
  ) {
    super();
  }

  async prepare(): Promise<PreparedWorkspace> {
    const workspaceId = this.ids.next();
    return { workspaceId, cellId: await this.directory.prepare(workspaceId) };
  }

  async create(
    tx: Tx,
    { workspaceId, cellId }: PreparedWorkspace,
    workspace: PersonalWorkspace,
  ): Promise<void> {
    await this.directory.assign(tx, workspaceId, cellId);
    if (this.fault) throw this.fault;
    tx.afterCommit(() => this.created.push({ id: workspaceId, ...workspace }));
  }
}

@Injectable()
export class FakeUserWorkspaces extends UserWorkspaces {
  constructor(private readonly workspaces: FakeWorkspaces) {
    super();
  }

  async of(userId: string): Promise<readonly UserWorkspace[]> {
    return this.workspaces.created
      .filter((workspace) => workspace.userId === userId)
      .map(({ id, name }) => ({ id, name, slug: `w-${id}`, role: 'owner' }));
  }
}

const RANKS: readonly string[] = ['viewer', 'member', 'admin', 'owner'];

@Injectable()
export class FakeRoleGrants extends RoleGrants {
  known(role: string): boolean {
    return RANKS.includes(role);
  }

  mayGrant(role: string, byRole: string): boolean {
    return role !== 'owner' && RANKS.indexOf(role) <= RANKS.indexOf(byRole);
  }
}

@Injectable()
export class FakeAudit extends AuditWriter {
  readonly entries: AuditEntry[] = [];

  async record(tx: Tx, entry: AuditEntry): Promise<void> {
    tx.afterCommit(() => this.entries.push(entry));
  }
}

/** Owners may manage keys, keys act with their role; everyone else has nothing to do with a workspace. */
@Injectable()
export class FakeWorkspaceAccess extends WorkspaceAccess {
  constructor(private readonly workspaces: FakeUserWorkspaces) {
    super();
  }

  async of(principal: Principal, workspaceId: string): Promise<Access | null> {
    if (principal.kind === 'api_key') {
      const mayManage = principal.role === 'admin';
      return { workspaceId, role: principal.role, permissions: new Set(mayManage ? ['api_key:manage'] : []) };
    }
    const mine = await this.workspaces.of(principal.userId);
    if (!mine.some(({ id }) => id === workspaceId)) return null;
    return { workspaceId, role: 'owner', permissions: new Set(['api_key:manage']) };
  }
}
