import { Global, Module, type Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  Clock,
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
import { IdentityModule } from '../identity.module';
import {
  AccountWorkspaces,
  AuditWriter,
  PersonalWorkspaces,
  RoleGrants,
  SignUpInvitations,
  UserWorkspaces,
} from '../ports';
import { type Argon2Cost, Argon2PasswordHasher, PasswordHasher } from '../users/password-hasher';
import {
  FakeAccountWorkspaces,
  FakeAudit,
  FakeRoleGrants,
  FakeSignUpInvitations,
  FakeUserWorkspaces,
  FakeWorkspaceAccess,
  FakeWorkspaces,
} from './port-fakes';

/** The least that argon2 takes: a hash in well under a millisecond. */
const CHEAP_COST: Argon2Cost = { memoryCost: 8, timeCost: 1, parallelism: 1 };

/** Mails as they are enqueued; the outbox gets them as well. */
class RecordedMail extends Mail {
  readonly sent: MailToSend[] = [];

  override async enqueue(tx: Tx, mail: MailToSend): Promise<string> {
    tx.afterCommit(() => this.sent.push(mail));
    return super.enqueue(tx, mail);
  }

  /** The token in the link of the last mail of a kind to an address. */
  tokenFor(
    address: string,
    page: 'verify-email' | 'reset-password' | 'delete-account' = 'verify-email',
  ): string {
    const link = `/${page}?token=`;
    const mail = this.sent.findLast(({ to, text }) => to === address && text?.includes(link));
    const token = /^[\w-]+/.exec(mail?.text?.split(link)[1] ?? '')?.[0];
    if (token === undefined) throw new Error(`No mail with a link to ${page} went to ${address}.`);
    return token;
  }

  /** Subjects of the mails to an address, in the order they were enqueued. */
  subjectsTo(address: string): readonly string[] {
    return this.sent.filter(({ to }) => to === address).map(({ subject }) => subject);
  }
}

/** Remembers the hashes it checked passwords against. */
class RecordedHasher extends Argon2PasswordHasher {
  readonly checked: string[] = [];

  override async verify(passwordHash: string, password: string): Promise<boolean> {
    const matches = await super.verify(passwordHash, password);
    this.checked.push(passwordHash);
    return matches;
  }
}

@Global()
@Module({
  providers: [
    FakeWorkspaces,
    FakeUserWorkspaces,
    { provide: PersonalWorkspaces, useExisting: FakeWorkspaces },
    { provide: UserWorkspaces, useExisting: FakeUserWorkspaces },
    { provide: RoleGrants, useClass: FakeRoleGrants },
    FakeSignUpInvitations,
    { provide: SignUpInvitations, useExisting: FakeSignUpInvitations },
    { provide: AuditWriter, useClass: FakeAudit },
    { provide: AccountWorkspaces, useClass: FakeAccountWorkspaces },
    { provide: WorkspaceAccess, useClass: FakeWorkspaceAccess },
    { provide: LivePrincipals, useValue: null },
  ],
  exports: [
    FakeWorkspaces,
    FakeSignUpInvitations,
    PersonalWorkspaces,
    UserWorkspaces,
    RoleGrants,
    SignUpInvitations,
    AuditWriter,
    AccountWorkspaces,
    WorkspaceAccess,
    LivePrincipals,
  ],
})
class FakePortsModule {}

/** The identity lib on the real platform and a real database, with fakes for its ports. */
export interface IdentityApp {
  readonly app: NestFastifyApplication;
  readonly clock: PinnedClock;
  readonly sql: TestDb['sql'];
  readonly mail: RecordedMail;
  readonly hasher: RecordedHasher;
  readonly audit: FakeAudit;
  readonly roles: FakeRoleGrants;
  readonly workspaces: FakeWorkspaces;
  readonly footprint: FakeAccountWorkspaces;
  get<T>(token: Type<T>): T;
  /** The same once more, on the same database, as a second process would be. It has the same clock. */
  another(): Promise<IdentityApp>;
}

/** Settings of an application under test. */
export type Environment = Readonly<Record<string, string>>;

interface IdentityAppOptions {
  /** A function, where it is known only once other things have been started. */
  readonly environment?: Environment | (() => Environment);
  readonly poolSize?: number;
  /** Called before the application initialises. */
  readonly configure?: (app: NestFastifyApplication) => void;
}

/** Gives a test file its own identity application, on its own database. Time stands still at 2026-01-05 12:00 UTC. */
export function useIdentityApp(options: IdentityAppOptions = {}): () => IdentityApp {
  let current: IdentityApp | null = null;
  const opened: NestFastifyApplication[] = [];
  // Hooks of one kind run in the order they are declared: the applications end before their database does.
  afterAll(async () => {
    for (const app of opened) await app.close();
  });
  const testDb = useTestDb();
  beforeAll(async () => {
    const clock = new PinnedClock('2026-01-05T12:00:00Z');
    const boot = async (): Promise<IdentityApp> => {
      const app = await bootIdentity(testDb(), options, clock);
      opened.push(app);
      return {
        app,
        clock,
        sql: testDb().sql,
        mail: app.get(Mail),
        hasher: app.get(PasswordHasher),
        audit: app.get(AuditWriter),
        roles: app.get(RoleGrants),
        workspaces: app.get(FakeWorkspaces),
        footprint: app.get(AccountWorkspaces),
        get: <T>(token: Type<T>): T => app.get<T>(token),
        another: boot,
      };
    };
    current = await boot();
  }, 60_000);
  return () => {
    if (!current) throw new Error('The application is ready from beforeAll on.');
    return current;
  };
}

async function bootIdentity(
  testDb: TestDb,
  options: IdentityAppOptions,
  clock: PinnedClock,
): Promise<NestFastifyApplication> {
  const module = await Test.createTestingModule({
    imports: [
      PlatformModule.forRoot({
        // No background role: nothing happens but what a test does.
        config: parseConfig({
          ROLES: 'api',
          DATABASE_POOL_SIZE: String(options.poolSize ?? 1),
          // All callers have one address here, and time stands still.
          RATE_LIMIT_SCALE: '10000',
          ...(typeof options.environment === 'function' ? options.environment() : options.environment),
        }),
        databaseUrl: testDb.url,
        secretKey: Buffer.alloc(32, 7),
        logger: new CollectingLogger(),
      }),
      HttpModule.with({ control: [], cell: [] }),
      FakePortsModule,
      IdentityModule,
    ],
  })
    .overrideProvider(Clock)
    .useValue(clock)
    .overrideProvider(Mail)
    .useClass(RecordedMail)
    .overrideProvider(PasswordHasher)
    .useValue(new RecordedHasher(CHEAP_COST, 'nobody has this password'))
    .compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  options.configure?.(app);
  await app.init();
  return app;
}

/** From where tests sign in. */
export const CLIENT = { ip: '203.0.113.7', userAgent: 'jest' } as const;

/** A body of a sign-up that is in order. */
export function aSignUp(email: string) {
  return { email, password: 'correct horse battery', name: 'Ada Lovelace', acceptTerms: '1.0' } as const;
}
