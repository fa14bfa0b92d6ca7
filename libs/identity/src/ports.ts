import type { Actor, Client, Tx } from '#platform';

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

/** What an account has in workspaces. */
export interface WorkspaceFootprint {
  /** Workspaces it owns, and how many others are in each. */
  readonly owned: readonly { readonly id: string; readonly name: string; readonly otherMembers: number }[];
  /** How many it belongs to without owning them. */
  readonly joined: number;
  /** Workflows in those it owns. */
  readonly workflows: number;
}

/** Port: what happens in workspaces when an account is deleted. */
export abstract class AccountWorkspaces {
  abstract footprintOf(userId: string): Promise<WorkspaceFootprint>;

  /**
   * Takes an account out of every workspace, in the transaction that deletes it: those it owns alone are deleted for
   * good, all others are left. Answers with the owned ones as they are now, under locks: while others are in one of them,
   * the caller rolls back.
   */
  abstract leaveAll(
    tx: Tx,
    leaving: { readonly userId: string; readonly client: Client },
  ): Promise<Pick<WorkspaceFootprint, 'owned'>>;
}

/** Port: which roles there are and who may hand them out. Identity knows roles as words only. */
export abstract class RoleGrants {
  abstract known(role: string): boolean;
  /** The permissions of a role that there is. */
  abstract permissionsOf(role: string): ReadonlySet<string>;
  /** The role with the fewest permissions that has all of these; null when none has. */
  abstract leastWith(permissions: readonly string[]): string | null;
  /**
   * The role of a person in a workspace, which nobody takes away before `tx` ends; null for no member. A key that is made
   * in `tx` by this role is then found by whoever takes the role away.
   */
  abstract held(
    tx: Tx,
    member: { readonly workspaceId: string; readonly userId: string },
  ): Promise<string | null>;
  /** Whether one who acts as `byRole` may make an API key that acts as `role`. */
  abstract mayGrant(role: string, byRole: string): boolean;
}

/** One change to record: dotted action (`api_key.created`), and the target's state before and after it. */
export interface AuditEntry {
  readonly workspaceId: string;
  readonly actor: Actor;
  readonly action: `${string}.${string}`;
  readonly target: { readonly kind: string; readonly id: string };
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly reason?: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** Port: the audit log of a workspace. Written in the transaction of the change, so that neither exists alone. */
export abstract class AuditWriter {
  abstract record(tx: Tx, entry: AuditEntry): Promise<void>;
}

/** What holding an invitation says about whoever signs up with it. */
export interface Admitted {
  /** The token was mailed to the very address that signs up: it is theirs. */
  readonly provesAddress: boolean;
}

/** An account in the transaction that makes it. */
export interface NewAccount {
  readonly userId: string;
  readonly emailVerified: boolean;
  readonly client: Client;
}

/** Port: invitations that somebody signs up with. What is wrong with one is thrown, as its own domain words it. */
export abstract class SignUpInvitations {
  /** Whether a token lets this address sign up, before anything is made. Decides nothing for good. */
  abstract check(token: string, email: string): Promise<Admitted>;
  /** Follows the invitation in the transaction of the sign-up: neither happens without the other. */
  abstract accept(tx: Tx, token: string, account: NewAccount): Promise<void>;
}
