import 'reflect-metadata';
import { migrations } from '#migrations';
import {
  checkDatabase,
  type Config,
  ConfigError,
  DatabaseCheckError,
  Db,
  drainOrder,
  EmbeddedPostgresError,
  InstallationKeyError,
  installSignalHandlers,
  Lifecycle,
  loadConfig,
  loadInstallationKey,
  Migrator,
  verifyInstallationKey,
} from '#platform';
import { createApplication } from './application';
import { type Database, openDatabase } from './database';
import { announce } from './welcome';

class StartInterrupted extends Error {
  override readonly message = 'Stopped before the start was complete.';
}

/** Wrong surroundings are told in one sentence; a bug shows its stack. */
const EXPECTED = [
  ConfigError,
  DatabaseCheckError,
  EmbeddedPostgresError,
  InstallationKeyError,
  StartInterrupted,
];

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

async function main(): Promise<void> {
  const config = loadConfig();
  // Until the application can drain itself, a signal ends the start and takes the database server along.
  const starting = new AbortController();
  const abort = () => starting.abort();
  for (const signal of SIGNALS) process.on(signal, abort);
  const database = await openDatabase(config, starting.signal);
  try {
    await serve(config, database, {
      goOn: () => starting.signal.throwIfAborted(),
      takeOver: () => {
        for (const signal of SIGNALS) process.off(signal, abort);
      },
    });
  } catch (error) {
    await database.close();
    throw starting.signal.aborted ? new StartInterrupted() : error;
  }
}

/** How a start hears of signals. */
interface Start {
  /** Throws when a signal has come. */
  readonly goOn: () => void;
  /** Called once the application answers to signals itself. */
  readonly takeOver: () => void;
}

async function serve(config: Config, database: Database, start: Start): Promise<void> {
  await checkDatabase(database.url);
  await new Migrator(database.url, migrations).up();
  start.goOn();
  const secretKey = loadInstallationKey(config);
  const app = await createApplication({ config, databaseUrl: database.url, secretKey });
  const lifecycle = app.get(Lifecycle);
  try {
    await verifyInstallationKey(app.get(Db), secretKey);
    // Behind everything that needs it.
    lifecycle.onDrain('database', drainOrder.connections + 1, () => database.close());
    start.goOn();
    await app.listen(config.values.port, config.values.host);
    installSignalHandlers(lifecycle, (code) => process.exit(code));
    start.takeOver();
    start.goOn();
  } catch (error) {
    // Loops and connections end before their database does: a connection that loses it would end this process first.
    await lifecycle.drain();
    throw error;
  }
  lifecycle.ready();
  announce(config, await app.getUrl());
}

main().catch((error: unknown) => {
  const isExpected = EXPECTED.some((kind) => error instanceof kind);
  process.stderr.write(`${sentenceOf(error, isExpected)}\n`);
  process.exit(1);
});

function sentenceOf(error: unknown, isExpected: boolean): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE') {
    const port = 'port' in error ? String(error.port) : '?';
    return `Port ${port} is taken by another program. Stop it, or choose another port: PORT=3001 npm start`;
  }
  return isExpected ? error.message : (error.stack ?? error.message);
}
