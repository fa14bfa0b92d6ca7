import { type DynamicModule, Global, Module, type OnModuleDestroy, type Provider } from '@nestjs/common';
import { AccessChanges } from './auth/access-changes';
import { Config } from './config/config';
import { configuredKeyRing } from './crypto/configured-key-ring';
import { KeyRing } from './crypto/key-ring';
import { Keys } from './crypto/keys';
import { DatabaseModule } from './db/database.module';
import { Notifications } from './db/listener';
import { Hints } from './events/hints';
import { Ids, UuidV7Ids } from './ids/ids';
import { Random, SystemRandom } from './ids/random';
import { drainOrder, Lifecycle } from './lifecycle/lifecycle';
import { Logger } from './log/logger';
import { PinoLogger } from './log/pino-logger';
import { Loops } from './loops/loops';
import { LoopsModule } from './loops/loops.module';
import { MailModule } from './mail/mail.module';
import { Clock, SystemClock } from './time/clock';

/** What the process knows before Nest starts. */
export interface PlatformOptions {
  readonly config: Config;
  /** The database to use, of the embedded server or of DATABASE_URL; migrated already. */
  readonly databaseUrl: string;
  /** 32 bytes, from `loadInstallationKey`. */
  readonly secretKey: Buffer;
  /** The logger and lifecycle of `main`, if it has made them already. */
  readonly logger?: Logger;
  readonly lifecycle?: Lifecycle;
}

function foundations({ config, databaseUrl, secretKey, logger, lifecycle }: PlatformOptions) {
  const { drainSeconds, databaseListenUrl } = config.values;
  return [
    { provide: Config, useValue: config },
    { provide: Clock, useClass: SystemClock },
    { provide: Random, useClass: SystemRandom },
    {
      provide: Ids,
      inject: [Clock, Random],
      useFactory: (clock: Clock, random: Random) => new UuidV7Ids(clock, random),
    },
    { provide: Logger, useFactory: () => logger ?? PinoLogger.fromConfig(config) },
    { provide: Keys, useFactory: () => new Keys(secretKey) },
    { provide: KeyRing, inject: [Config, Keys, Random], useFactory: configuredKeyRing },
    { provide: Hints, useClass: Hints },
    { provide: AccessChanges, useClass: AccessChanges },
    {
      provide: Lifecycle,
      inject: [Clock, Logger],
      useFactory: (clock: Clock, log: Logger) =>
        lifecycle ?? new Lifecycle({ clock, logger: log, drainMs: drainSeconds * 1000 }),
    },
    {
      provide: Notifications,
      inject: [Random, Logger],
      useFactory: (random: Random, log: Logger) =>
        new Notifications({ url: databaseListenUrl?.reveal() ?? databaseUrl, random, logger: log }),
    },
  ] satisfies Provider[];
}

/**
 * Everything that has no business word: configuration, time, ids, randomness, keys, the database, loops, mails, the
 * log and the way to stop. Global, so that domain modules import nothing.
 *
 * On shutdown loops and the listening connection end in Nest's first hook, pools in its last one, after requests.
 */
@Global()
@Module({})
export class PlatformModule implements OnModuleDestroy {
  constructor(
    private readonly notifications: Notifications,
    lifecycle: Lifecycle,
    loops: Loops,
  ) {
    lifecycle.onDrain('loops', drainOrder.loops, () => loops.stop());
  }

  static forRoot(options: PlatformOptions): DynamicModule {
    const providers = foundations(options);
    return {
      module: PlatformModule,
      imports: [DatabaseModule.forRoot(options.databaseUrl), LoopsModule, MailModule],
      providers,
      exports: [...providers.map(({ provide }) => provide), DatabaseModule, LoopsModule, MailModule],
    };
  }

  async onModuleDestroy(): Promise<void> {
    await this.notifications.stop();
  }
}
