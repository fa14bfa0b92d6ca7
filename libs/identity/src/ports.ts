import type { Principal, Tx } from '#platform';

/** A place for a workspace, chosen and not yet used. */
export interface PreparedWorkspace {
  readonly workspaceId: string;
  readonly cellId: string;
}

/** Whose workspace a personal workspace is, and what it is called. */
export interface PersonalWorkspace {
  readonly userId: string;
  readonly name: string;
}

/** Port: the workspace that everyone gets at sign-up. */
export abstract class PersonalWorkspaces {
  /** Chooses a place. It opens a transaction of its own, so it is called before the one of the sign-up. */
  abstract prepare(): Promise<PreparedWorkspace>;
  /** Makes the workspace and its owner in the transaction of the sign-up: neither exists without the other. */
  abstract create(tx: Tx, prepared: PreparedWorkspace, workspace: PersonalWorkspace): Promise<void>;
}

/** A workspace as its member sees it in a list. */
export interface UserWorkspace {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly role: string;
}

/** Port: the workspaces a person is a member of, as of now. */
export abstract class UserWorkspaces {
  abstract of(userId: string): Promise<readonly UserWorkspace[]>;
}

/** Port: which roles there are and who may hand them out. Identity knows roles as words only. */
export abstract class RoleGrants {
  abstract known(role: string): boolean;
  /** Whether one who acts as `byRole` may make an API key that acts as `role`. */
  abstract mayGrant(role: string, byRole: string): boolean;
}

/** One change to record: dotted action (`api_key.created`), and the target's state before and after it. */
export interface AuditEntry {
  readonly workspaceId: string;
  readonly actor: Principal;
  readonly action: `${string}.${string}`;
  readonly target: { readonly kind: string; readonly id: string };
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** Port: the audit log of a workspace. Written in the transaction of the change, so that neither exists alone. */
export abstract class AuditWriter {
  abstract record(tx: Tx, entry: AuditEntry): Promise<void>;
}
