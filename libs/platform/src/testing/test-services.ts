import { type Config, parseConfig } from '../config/config';
import { Notifications } from '../db/listener';
import { Hints } from '../events/hints';
import { UuidV7Ids } from '../ids/ids';
import { SystemRandom } from '../ids/random';
import { Loops, SchedulerRegistry } from '../loops/loops';
import { SystemClock } from '../time/clock';
import { CollectingLogger } from './collecting-logger';
import { noteProcess } from './leaks';

/** What a process is made of beside its database, put together by hand for tests that need no Nest. */
export interface TestServices {
  readonly config: Config;
  readonly clock: SystemClock;
  readonly ids: UuidV7Ids;
  readonly random: SystemRandom;
  readonly logger: CollectingLogger;
  readonly hints: Hints;
  readonly loops: Loops;
  readonly notifications: Notifications;
  /** Ends loops and the listening connection. */
  stop(): Promise<void>;
}

/** Services of one pretended process on a test database. Loops run once `loops.start()` is called. */
export function testServices(
  databaseUrl: string,
  environment: Readonly<Record<string, string>> = {},
): TestServices {
  const config = parseConfig({ NODE_ENV: 'test', ...environment });
  const clock = new SystemClock();
  const random = new SystemRandom();
  const ids = new UuidV7Ids(clock, random);
  const logger = new CollectingLogger();
  const loops = new Loops(config, clock, random, logger, new SchedulerRegistry());
  const stopped = noteProcess(() => loops.beats().map(({ name }) => name));
  const notifications = new Notifications({ url: databaseUrl, random, logger });
  return {
    config,
    clock,
    ids,
    random,
    logger,
    hints: new Hints(),
    loops,
    notifications,
    stop: async () => {
      await loops.stop();
      await notifications.stop();
      stopped();
    },
  };
}
