import { Injectable } from '@nestjs/common';
import {
  type Access,
  AppError,
  Ids,
  platformErrors,
  type Principal,
  TenantDirectory,
  type Tx,
  WorkspaceAccess,
} from '#platform';
import {
  AccountWorkspaces,
  type Admitted,
  type AuditEntry,
  AuditWriter,
  type NewAccount,
  type PersonalWorkspace,
  PersonalWorkspaces,
  type PreparedWorkspace,
  RoleGrants,
  SignUpInvitations,
  type UserWorkspace,
  UserWorkspaces,
  type WorkspaceFootprint,
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

/** Invitations by their tokens: for an address, or for anybody. Remembers who followed one once it is committed. */
@Injectable()
export class FakeSignUpInvitations extends SignUpInvitations {
  readonly open = new Map<string, { readonly email: string | null }>();
  readonly followed: (NewAccount & { readonly token: string })[] = [];
  fault: Error | null = null;

  async check(token: string, email: string): Promise<Admitted> {
    const invitation = this.open.get(token);
    if (!invitation || (invitation.email ?? email) !== email)
      throw new AppError(platformErrors.not_found, { detail: 'No such invitation.' });
    return { provesAddress: invitation.email !== null };
  }

  async accept(tx: Tx, token: string, account: NewAccount): Promise<void> {
    if (this.fault) throw this.fault;
    tx.afterCommit(() => this.followed.push({ token, ...account }));
  }
}

const RANKS: readonly string[] = ['viewer', 'member', 'admin', 'owner'];
const GRANTS: readonly (readonly string[])[] = [['run:read'], ['run:start'], ['api_key:manage'], []];

@Injectable()
export class FakeRoleGrants extends RoleGrants {
  /** What everybody is in every workspace. */
  role: string | null = 'owner';

  async held(): Promise<string | null> {
    return this.role;
  }

  known(role: string): boolean {
    return RANKS.includes(role);
  }

  permissionsOf(role: string): ReadonlySet<string> {
    return new Set(GRANTS.slice(0, RANKS.indexOf(role) + 1).flat());
  }

  leastWith(permissions: readonly string[]): string | null {
    const holdsAll = (role: string) => permissions.every((one) => this.permissionsOf(role).has(one));
    return RANKS.find(holdsAll) ?? null;
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

/** An account in workspaces as a test says it is; remembers who has left, once that is committed. */
@Injectable()
export class FakeAccountWorkspaces extends AccountWorkspaces {
  footprint: WorkspaceFootprint = { owned: [], joined: 0, workflows: 0 };
  readonly left: string[] = [];

  async footprintOf(): Promise<WorkspaceFootprint> {
    return this.footprint;
  }

  async leaveAll(tx: Tx, { userId }: { readonly userId: string }): Promise<WorkspaceFootprint> {
    tx.afterCommit(() => this.left.push(userId));
    return this.footprint;
  }
}
