import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { CollectingLogger, eventually, useTestDb } from '#platform/testing';
import { Config, parseConfig } from './config/config';
import { Db } from './db/db';
import { TenantDirectory } from './db/directory';
import { Notifications } from './db/listener';
import { statement } from './db/statement';
import { Ids } from './ids/ids';
import { Lifecycle } from './lifecycle/lifecycle';
import { Logger } from './log/logger';
import { Loops, SchedulerRegistry } from './loops/loops';
import { Mail } from './mail/mail';
import { PlatformModule } from './platform.module';

const one = statement<[], { one: number }>('test-one', 'select 1 as one');

/** A domain as a stranger would write it: it imports nothing and injects platform classes. */
@Injectable()
class Stranger {
  constructor(
    readonly config: Config,
    readonly db: Db,
    readonly directory: TenantDirectory,
    readonly ids: Ids,
    readonly mail: Mail,
    readonly logger: Logger,
  ) {}
}

@Controller('ping')
class Ping {
  constructor(private readonly stranger: Stranger) {}

  @Get()
  async ping(): Promise<unknown> {
    return this.stranger.db.executeControl(one);
  }
}

@Module({ controllers: [Ping], providers: [Stranger] })
class StrangerModule {}

describe('PlatformModule', () => {
  const testDb = useTestDb();
  const secretKey = Buffer.alloc(32, 3);

  async function boot(environment: Readonly<Record<string, string>> = {}) {
    const logger = new CollectingLogger();
    const config = parseConfig({ NODE_ENV: 'test', DATABASE_POOL_SIZE: '1', ...environment });
    const compiled = await Test.createTestingModule({
      imports: [
        PlatformModule.forRoot({ config, databaseUrl: testDb().url, secretKey, logger }),
        StrangerModule,
      ],
    }).compile();
    const app = compiled.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
      logger: false,
    });
    await app.init();
    return { app, logger };
  }

  const sessions = () =>
    testDb().sql<{ name: string }>(
      `select application_name as name from pg_stat_activity
        where datname = current_database() and application_name ~ '^millrace-(api|listen)'`,
    );

  it('gives a domain everything it needs, with a pool of one connection, and leaves nothing behind', async () => {
    const { app, logger } = await boot();
    const stranger = app.get(Stranger);
    expect(stranger.logger).toBe(logger);
    app.get(Notifications).listen('test_platform', () => undefined);
    await stranger.directory.prepare(stranger.ids.next());
    const answer = await app.inject({ method: 'GET', url: '/ping' });
    expect(answer.json()).toEqual([{ one: 1 }]);
    await eventually(async () => expect((await sessions()).length).toBe(2));
    await app.close();
    await eventually(async () => expect(await sessions()).toEqual([]));
  });

  it('ends the loops, each timer of which stands in the registry, before the pools are closed', async () => {
    const { app } = await boot();
    const loops = app.get(Loops);
    const db = app.get(Db);
    let lastRound: unknown = 'did not run';
    let isStopping: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      isStopping = resolve;
    });
    loops.add({
      name: 'test-last',
      role: 'api',
      everyMs: 60_000,
      runOnce: async (signal) => {
        isStopping();
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
        // A round that is interrupted may still write what it has.
        lastRound = await db.executeControl(one);
        return { rows: 1 };
      },
    });
    await begun;
    await eventually(() => expect(app.get(SchedulerRegistry).getTimeouts()).toContain('loop:mail-outbox'));
    await app.close();
    expect(lastRound).toEqual([{ one: 1 }]);
    expect(app.get(SchedulerRegistry).getTimeouts()).toEqual([]);
  });

  it('drains its loops when the process stops', async () => {
    const { app } = await boot();
    await eventually(() =>
      expect(app.get(Loops).beats()).toMatchObject([{ name: 'mail-outbox', lastError: null }]),
    );
    await app.get(Lifecycle).drain();
    expect(app.get(SchedulerRegistry).getTimeouts()).toEqual([]);
    await app.close();
  });

  it('shows sent mails at /dev/mail in development, as a page and as JSON', async () => {
    const { app } = await boot();
    const { mail, db } = app.get(Stranger);
    const text = 'Open http://localhost:3000/verify?token=abc';
    await db.control((tx) => mail.enqueue(tx, { to: 'ada@example.com', subject: 'Hi <you>', text }));
    await eventually(async () => {
      const list = await app.inject({ method: 'GET', url: '/dev/mail.json' });
      expect(list.json()).toMatchObject({ data: [{ to: 'ada@example.com', subject: 'Hi <you>', text }] });
    });
    const page = await app.inject({ method: 'GET', url: '/dev/mail' });
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.body).toContain('<a href="http://localhost:3000/verify?token=abc">');
    expect(page.body).toContain('Hi &lt;you&gt;');
    await app.close();
  });

  it('has no /dev/mail in production, where mails wait in the queue for an SMTP_URL', async () => {
    const { app, logger } = await boot({ NODE_ENV: 'production' });
    const { mail, db } = app.get(Stranger);
    await db.control((tx) => mail.enqueue(tx, { to: 'ada@example.com', subject: 'Hi', text: 'there' }));
    for (const url of ['/dev/mail', '/dev/mail.json']) {
      const answer = await app.inject({ method: 'GET', url });
      // Without the problem filter, which the application adds, Nest answers every AppError alike.
      expect(answer.statusCode).toBeGreaterThanOrEqual(400);
      expect(answer.body).not.toContain('ada@');
    }
    expect(app.get(Loops).beats()).toEqual([]);
    expect(logger.messages('warn')).toEqual(['SMTP_URL is not set: mails stay in the queue until it is.']);
    await app.close();
    expect(await testDb().sql(`select state from mail_outbox where state = 'queued'`)).toHaveLength(1);
  });
});
