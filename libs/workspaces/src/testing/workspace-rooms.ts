import { randomUUID } from 'node:crypto';
import {
  AccessChanges,
  type Clock,
  type Db,
  Idempotency,
  Mail,
  type MailToSend,
  type Notifications,
  parseConfig,
  SystemRandom,
  TenantDirectory,
  type Tx,
  type UserPrincipal,
  UuidV7Ids,
} from '#platform';
import { CollectingLogger, PinnedClock, type TestDb } from '#platform/testing';
import { AuditLogRepository } from '../audit/audit-log.repository';
import { AuditLog } from '../audit/audit-log.service';
import type { AuditOrigin } from '../audit/audit-origin';
import { WorkspaceDeletions } from '../deletion/workspace-deletions.service';
import { InvitationGrants } from '../invitations/invitation-grants.service';
import { AccessRevoker } from '../members/access-revoker';
import { type Acting, ActingMembers } from '../members/acting-members.service';
import { MemberChanges } from '../members/member-changes.service';
import { MembersRepository } from '../members/members.repository';
import { Memberships } from '../members/memberships.service';
import { OwnershipTransfers } from '../members/ownership-transfers.service';
import { permissionsOf, type Role } from '../members/role';
import { type MemberName, MemberNames } from '../ports';
import { WorkspaceChanges } from '../workspace/workspace-changes.service';
import { Workspaces } from '../workspace/workspaces.service';
import { RecordedKeys, RevocableKeys } from './port-fakes';

/** Everybody has an address made of their id. */
class NamesById extends MemberNames {
  of(userIds: readonly string[]): Promise<ReadonlyMap<string, MemberName>> {
    return Promise.resolve(new Map(userIds.map((id) => [id, { name: `Name of ${id}`, email: mailOf(id) }])));
  }
}

/** Remembers mails once they are committed to; sealing and sending are platform's and tested there. */
class RecordedMail extends Mail {
  readonly sent: MailToSend[] = [];

  constructor() {
    // Nothing of the real outbox is used.
    super(...([] as unknown as ConstructorParameters<typeof Mail>));
  }

  override async enqueue(tx: Tx, mail: MailToSend): Promise<string> {
    tx.afterCommit(() => this.sent.push(mail));
    return randomUUID();
  }
}

/** Remembers announcements once they are committed. */
class RecordedAccessChanges extends AccessChanges {
  readonly announced: string[] = [];

  constructor() {
    super({} as Notifications);
  }

  override async announce(tx: Tx, subject: Parameters<AccessChanges['announce']>[1]): Promise<void> {
    tx.afterCommit(() => this.announced.push(subject));
    return super.announce(tx, subject);
  }
}

/** The address of a person of these tests. */
export function mailOf(userId: string): string {
  return `${userId}@example.com`;
}

/** The services of this lib as one process has them, with fakes for the ports. Time stands at 2026-02-01 12:00 UTC. */
export function workspaceRooms(db: Db, clock: Clock = new PinnedClock('2026-02-01T12:00:00Z')) {
  const random = new SystemRandom();
  const ids = new UuidV7Ids(clock, random);
  const directory = new TenantDirectory(db);
  const names = new NamesById();
  const [keys, acting, mail, access] = [
    new RecordedKeys(), new RevocableKeys(), new RecordedMail(), new RecordedAccessChanges(),
  ]; // prettier-ignore
  const memberships = new Memberships(db, new MembersRepository(), names);
  const auditLog = new AuditLog(db, ids, clock, new AuditLogRepository());
  const actors = new ActingMembers(acting);
  const revoker = new AccessRevoker(keys, new InvitationGrants(clock, auditLog), access);
  return {
    db,
    clock,
    directory,
    keys,
    acting,
    mail,
    access,
    logger: new CollectingLogger(),
    memberships,
    auditLog,
    workspaces: new Workspaces(
      db, directory, parseConfig({}), clock, ids, random, new Idempotency(), memberships, auditLog,
    ), // prettier-ignore
    changes: new WorkspaceChanges(db, clock, actors, auditLog),
    members: new MemberChanges(db, actors, auditLog, names, revoker, mail),
    transfers: new OwnershipTransfers(db, clock, actors, auditLog, names, revoker, mail),
    deletions: new WorkspaceDeletions(db, clock, actors, memberships, auditLog, access, names, mail),
  };
}

/** A workspace with its owner and one member of each other role. */
export interface StaffedWorkspace {
  readonly id: string;
  readonly owner: string;
  readonly admin: string;
  readonly member: string;
  readonly viewer: string;
}

/** Makes a workspace with somebody of each role in it, in whichever cell. */
export async function aStaffedWorkspace(
  { sql }: Pick<TestDb, 'sql'>,
  given: Partial<StaffedWorkspace> = {},
): Promise<StaffedWorkspace> {
  const made = { id: randomUUID(), owner: randomUUID(), admin: randomUUID(), member: randomUUID(), viewer: randomUUID(), ...given }; // prettier-ignore
  await sql(`
    begin;
    insert into tenants (workspace_id) values ('${made.id}');
    insert into workspace_directory (workspace_id, cell_id) values ('${made.id}', 'cell_1');
    insert into workspaces (id, name, slug, created_by, owner_id, anchor_at)
      values ('${made.id}', 'W', 'w-${made.id}', '${made.owner}', '${made.owner}', date_trunc('second', now()));
    insert into workspace_members (workspace_id, user_id, role) values
      ('${made.id}', '${made.owner}', 'owner'), ('${made.id}', '${made.admin}', 'admin'),
      ('${made.id}', '${made.member}', 'member'), ('${made.id}', '${made.viewer}', 'viewer');
    commit;`);
  return made;
}

/** Somebody acting in a role, as the guard found them a moment ago. */
export function actingAs(workspaceId: string, userId: string, role: Role): Acting {
  return {
    access: { workspaceId, role, permissions: permissionsOf(role) },
    origin: originOfUser(userId),
  };
}

export function originOfUser(userId: string): AuditOrigin {
  return { actor: { kind: 'user', id: userId }, ip: '203.0.113.7', userAgent: 'jest' };
}

export function userNamed(userId: string): UserPrincipal {
  return { kind: 'user', userId, sessionId: randomUUID(), via: 'cookie' };
}
