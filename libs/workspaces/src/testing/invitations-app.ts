import { randomUUID } from 'node:crypto';
import { Global, Module, type Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  type Access,
  Clock,
  Db,
  HttpModule,
  LivePrincipals,
  Mail,
  type MailToSend,
  parseConfig,
  PlatformModule,
  type Tx,
  WorkspaceAccess,
} from '#platform';
import { CollectingLogger, PinnedClock, type TestDb, useTestDb } from '#platform/testing';
import { AuditLog } from '../audit/audit-log.service';
import type { AuditEntryView } from '../audit/audit-log.dto';
import type { AuditOrigin } from '../audit/audit-origin';
import type { NewInvitation } from '../invitations/invitations.dto';
import { Invitations } from '../invitations/invitations.service';
import type { NewInviteLink } from '../invitations/invite-links.dto';
import { InviteLinks } from '../invitations/invite-links.service';
import type { Acting } from '../members/acting-members.service';
import { permissionsOf, type Role } from '../members/role';
import {
  ActingKeys,
  MemberKeys,
  MemberNames,
  People,
  type Person,
  SeatPolicy,
  WorkspacePurge,
} from '../ports';
import { Workspaces } from '../workspace/workspaces.service';
import { WorkspacesModule } from '../workspaces.module';
import { FakePeople, FakeSeats, NothingElsewhere, RecordedKeys, RevocableKeys } from './port-fakes';

/** Mails as they are enqueued; the outbox gets them as well. */
class RecordedMail extends Mail {
  readonly sent: MailToSend[] = [];

  override async enqueue(tx: Tx, mail: MailToSend): Promise<string> {
    tx.afterCommit(() => this.sent.push(mail));
    return super.enqueue(tx, mail);
  }
}

@Global()
@Module({
  providers: [
    FakePeople,
    FakeSeats,
    { provide: People, useExisting: FakePeople },
    { provide: MemberNames, useExisting: FakePeople },
    { provide: SeatPolicy, useExisting: FakeSeats },
    { provide: MemberKeys, useClass: RecordedKeys },
    { provide: ActingKeys, useClass: RevocableKeys },
    { provide: WorkspacePurge, useClass: NothingElsewhere },
    { provide: WorkspaceAccess, useValue: null },
    { provide: LivePrincipals, useValue: null },
  ],
  exports: [
    FakePeople,
    FakeSeats,
    People,
    MemberNames,
    SeatPolicy,
    MemberKeys,
    ActingKeys,
    WorkspacePurge,
    WorkspaceAccess,
    LivePrincipals,
  ],
})
class FakePortsModule {}

/** A workspace, and who owns it. */
export interface Room {
  readonly id: string;
  readonly owner: Person;
  /** The owner, acting. */
  readonly by: Acting;
}

/** The workspaces lib on the real platform and a real database, with fakes for its ports. */
export interface InvitationsApp {
  readonly clock: PinnedClock;
  readonly db: Db;
  readonly sql: TestDb['sql'];
  readonly people: FakePeople;
  readonly sent: readonly MailToSend[];
  get<T>(token: Type<T>): T;
  aRoom(seats?: number): Promise<Room>;
  /** Makes somebody a member without asking anyone. */
  addMember(workspaceId: string, userId: string, role: Role): Promise<void>;
  /** Invites an address, by the owner; gives the id and the mailed token. */
  invite(room: Room, wanted: Partial<NewInvitation> & { readonly email: string }): Promise<Invited>;
  /** Makes a link and gives its id and token. */
  link(room: Room, wanted?: Partial<NewInviteLink>): Promise<Invited>;
  /** The token in the newest mail to an address. */
  tokenFor(email: string): string;
  /** The role of somebody in a workspace, null for who is no member. */
  roleIn(workspaceId: string, userId: string): Promise<string | null>;
  /** What was recorded, oldest first. */
  audited(workspaceId: string): Promise<readonly AuditEntryView[]>;
}

export interface Invited {
  readonly id: string;
  readonly token: string;
}

/** Where tests act from. */
export function originOf(userId: string): AuditOrigin {
  return { actor: { kind: 'user', id: userId }, ip: '203.0.113.7', userAgent: 'jest' };
}

/** Somebody acting in a workspace in a role. */
export function acting(workspaceId: string, userId: string, role: Role = 'owner'): Acting {
  const access: Access = { workspaceId, role, permissions: permissionsOf(role) };
  return { access, origin: originOf(userId) };
}

/** Gives a test file its own application, on its own database. Time stands still at 2026-01-05 12:00 UTC. */
export function useInvitationsApp(): () => InvitationsApp {
  let current: { readonly app: NestFastifyApplication; readonly rooms: InvitationsApp } | null = null;
  // Hooks of one kind run in the order they are declared: the application ends before its database does.
  afterAll(async () => {
    await current?.app.close();
  });
  const testDb = useTestDb();
  beforeAll(async () => {
    const app = await boot(testDb());
    current = { app, rooms: roomsOf(app, testDb()) };
  }, 60_000);
  return () => {
    if (!current) throw new Error('The application is ready from beforeAll on.');
    return current.rooms;
  };
}

async function boot(testDb: TestDb): Promise<NestFastifyApplication> {
  const module = await Test.createTestingModule({
    imports: [
      PlatformModule.forRoot({
        // No background role: nothing happens but what a test does.
        config: parseConfig({ ROLES: 'api', DATABASE_POOL_SIZE: '20', DEFAULT_PLAN: 'enterprise' }),
        databaseUrl: testDb.url,
        secretKey: Buffer.alloc(32, 7),
        logger: new CollectingLogger(),
      }),
      FakePortsModule,
      HttpModule.with({ control: [], cell: [] }),
      WorkspacesModule,
    ],
  })
    .overrideProvider(Clock)
    .useValue(new PinnedClock('2026-01-05T12:00:00Z'))
    .overrideProvider(Mail)
    .useClass(RecordedMail)
    .compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  await app.init();
  return app;
}

function roomsOf(app: NestFastifyApplication, { sql }: TestDb): InvitationsApp {
  const get = <T>(token: Type<T>): T => app.get<T>(token);
  const { sent } = app.get<RecordedMail>(Mail);
  const people = get(FakePeople);
  const tokenFor = (email: string) => {
    const mail = sent.findLast(({ to }) => to === email);
    const token = /\/i\/([\w-]+)/.exec(mail?.text ?? '')?.[1];
    if (token === undefined) throw new Error(`No invitation went to ${email}.`);
    return token;
  };
  return {
    clock: app.get<PinnedClock>(Clock),
    db: app.get(Db),
    sql,
    people,
    sent,
    get,
    tokenFor,
    async aRoom(seats) {
      const owner = people.somebody();
      const { id } = await get(Workspaces).create({ ownerId: owner.id, name: `Mill ${randomUUID()}` }, null);
      if (seats !== undefined)
        await sql('update workspaces set plan = $2 where id = $1', [id, `seats_${seats}`]);
      return { id, owner, by: acting(id, owner.id) };
    },
    async addMember(workspaceId, userId, role) {
      const values = [workspaceId, userId, role];
      await sql('insert into workspace_members (workspace_id, user_id, role) values ($1, $2, $3)', values);
    },
    async invite({ by }, wanted) {
      const full = { role: 'member', expiresInDays: 7, ...wanted } as const;
      const { id } = await get(Invitations).invite(by, full, null);
      return { id, token: tokenFor(wanted.email) };
    },
    async link({ by }, wanted = {}) {
      const full = {
        role: 'member',
        expiresInDays: 7,
        maxUses: null,
        allowedDomains: [],
        ...wanted,
      } as const;
      const { inviteLink, url } = await get(InviteLinks).create(by, full);
      return { id: inviteLink.id, token: url.split('/i/')[1] ?? '' };
    },
    async roleIn(workspaceId, userId) {
      const [member] = await sql<{ role: string }>(
        'select role from workspace_members where workspace_id = $1 and user_id = $2',
        [workspaceId, userId],
      );
      return member?.role ?? null;
    },
    async audited(workspaceId) {
      const { data } = await get(AuditLog).list(workspaceId, { beforeId: null, limit: 100 });
      return data.toReversed();
    },
  };
}
