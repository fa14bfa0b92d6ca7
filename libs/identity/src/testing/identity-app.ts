import { type DynamicModule, Global, Module, type Type } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  Clock,
  Mail,
  type MailToSend,
  parseConfig,
  PlatformModule,
  type Tx,
  WorkspaceAccess,
} from '#platform';
import { CollectingLogger, PinnedClock, type TestDb, useTestDb } from '#platform/testing';
import { IdentityModule } from '../identity.module';
import { AuditWriter, PersonalWorkspaces, RoleGrants, UserWorkspaces } from '../ports';
import { type Argon2Cost, Argon2PasswordHasher, PasswordHasher } from '../users/password-hasher';
import {
  FakeAudit,
  FakeRoleGrants,
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

  /** The token in the link of the last mail to an address. */
  tokenFor(address: string): string {
    const mail = this.sent.findLast(({ to }) => to === address);
    const token = /verify-email\?token=([\w-]+)/.exec(mail?.text ?? '')?.[1];
    if (token === undefined) throw new Error(`No verification mail went to ${address}.`);
    return token;
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
    { provide: AuditWriter, useClass: FakeAudit },
    { provide: WorkspaceAccess, useClass: FakeWorkspaceAccess },
  ],
  exports: [FakeWorkspaces, PersonalWorkspaces, UserWorkspaces, RoleGrants, AuditWriter, WorkspaceAccess],
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
  readonly workspaces: FakeWorkspaces;
  get<T>(token: Type<T>): T;
}

interface IdentityAppOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly poolSize?: number;
  /** More modules, e.g. guards. */
  readonly imports?: readonly DynamicModule[];
  /** Called before the application initialises. */
  readonly configure?: (app: NestFastifyApplication) => void;
}

/** Gives a test file its own identity application, on its own database. Time stands still at 2026-01-05 12:00 UTC. */
export function useIdentityApp(options: IdentityAppOptions = {}): () => IdentityApp {
  let current: IdentityApp | null = null;
  // Hooks of one kind run in the order they are declared: the application ends before its database does.
  afterAll(async () => {
    await current?.app.close();
  });
  const testDb = useTestDb();
  beforeAll(async () => {
    current = await bootIdentity(testDb(), options);
  }, 60_000);
  return () => {
    if (!current) throw new Error('The application is ready from beforeAll on.');
    return current;
  };
}

async function bootIdentity(testDb: TestDb, options: IdentityAppOptions): Promise<IdentityApp> {
  const clock = new PinnedClock('2026-01-05T12:00:00Z');
  const module = await Test.createTestingModule({
    imports: [
      PlatformModule.forRoot({
        // No background role: nothing happens but what a test does.
        config: parseConfig({
          ROLES: 'api',
          DATABASE_POOL_SIZE: String(options.poolSize ?? 1),
          ...options.environment,
        }),
        databaseUrl: testDb.url,
        secretKey: Buffer.alloc(32, 7),
        logger: new CollectingLogger(),
      }),
      FakePortsModule,
      IdentityModule,
      ...(options.imports ?? []),
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
  return {
    app,
    clock,
    sql: testDb.sql,
    mail: app.get(Mail),
    hasher: app.get(PasswordHasher),
    audit: app.get(AuditWriter),
    workspaces: app.get(FakeWorkspaces),
    get: <T>(token: Type<T>): T => app.get<T>(token),
  };
}

/** From where tests sign in. */
export const CLIENT = { ip: '203.0.113.7', userAgent: 'jest' } as const;

/** A body of a sign-up that is in order. */
export function aSignUp(email: string) {
  return { email, password: 'correct horse battery', name: 'Ada Lovelace', acceptTerms: '1.0' } as const;
}
