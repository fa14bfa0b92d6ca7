import type { AppError, Tx } from '#platform';
import type { AuditOrigin } from './audit/audit-origin';
import type { Role } from './members/role';

/** How a person is shown to the other members of a workspace. */
export interface MemberName {
  readonly name: string | null;
  readonly email: string;
}

/**
 * Port: who the people behind user ids are. Bound in the app's wiring. It takes no transaction, because the one of a
 * tenant must not see people: call it outside.
 */
export abstract class MemberNames {
  /** By user id. Somebody who no longer exists is missing. */
  abstract of(userIds: readonly string[]): Promise<ReadonlyMap<string, MemberName>>;
}

/** Somebody who may do less in a workspace than before, and by whose doing. */
export interface LostRole {
  readonly workspaceId: string;
  readonly userId: string;
  /** What they are now; null for a member no longer. */
  readonly role: Role | null;
  readonly origin: AuditOrigin;
}

/** Port: the API keys that members made. What somebody handed out dies with their right to hand it out. */
export abstract class MemberKeys {
  /** Revokes what they made beyond their new role, in the transaction that takes the role away, after it was taken. */
  abstract revokeBeyond(tx: Tx, lost: LostRole): Promise<void>;
}

/** Port: whether a program that was let in a moment ago would be let in now. */
export abstract class ActingKeys {
  /** False once the key is revoked or expired, as the transaction sees it. */
  abstract holds(tx: Tx, apiKeyId: string): Promise<boolean>;
}

/** How far a purge has come. */
export interface PurgeProgress {
  /** Rows deleted in this round. */
  readonly rows: number;
  /** Nothing of the workspace is left. */
  readonly done: boolean;
}

/**
 * Port: everything that other libs keep of a workspace. Called again and again until it is done, by several processes
 * at a time if need be; each round is a batch of its own, so that a crash loses a batch and nothing else.
 */
export abstract class WorkspacePurge {
  abstract purge(workspaceId: string): Promise<PurgeProgress>;
}

/** Somebody with an account, as joining a workspace needs to know them. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  /** Whether the mailbox was proven to be theirs. */
  readonly emailVerified: boolean;
}

/** Port: people and their addresses. Bound in the app's wiring. */
export abstract class People {
  /** Null for somebody who has no account (any more). Takes no transaction: call it outside. */
  abstract find(userId: string): Promise<Person | null>;
  /** The account of an address, in whatever letter case. Takes no transaction: call it outside. */
  abstract idOf(email: string): Promise<string | null>;
  /** Somebody as they are and stay until `tx` ends: neither address nor account can go meanwhile. */
  abstract lock(tx: Tx, userId: string): Promise<Person | null>;
  /** Records that the person's present address is theirs, because they hold what only its mailbox has seen. */
  abstract prove(tx: Tx, person: Person): Promise<void>;
}

/** Port: how many people a plan seats. Pure: it is asked with the plan of a workspace whose row is locked. */
export abstract class SeatPolicy {
  /** Null: any number. */
  abstract seatsOf(plan: string): number | null;
  /** What to answer when all seats are taken: names the limit, the plan and the way up. */
  abstract refusal(plan: string): AppError;
}
