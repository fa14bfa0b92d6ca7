import {
  configuredKeyRing,
  Keys,
  loadConfig,
  loadInstallationKey,
  Resealer,
  SystemRandom,
  verifyInstallationKey,
  withDb,
} from '#platform';
import { sealedColumns } from '#workflows';
import { runCommand, say, takesNothing } from './command';
import { withDatabase } from './with-database';

/**
 * `npm run secrets:rotate`: seals whatever the key ring keeps with the current key, the first one of ENCRYPTION_KEYS. Exits
 * with 1 when something does not open, which then needs a key that was taken out of the ring too early.
 */
async function secretsRotate(args: readonly string[]): Promise<void> {
  takesNothing(args);
  const config = loadConfig();
  const secretKey = loadInstallationKey(config);
  const ring = configuredKeyRing(config, new Keys(secretKey), new SystemRandom());
  say(`The current key is ${ring.currentId}.`);
  const unopened = await withDatabase((url) =>
    withDb(url, config, async (db) => {
      await verifyInstallationKey(db, secretKey);
      const resealer = new Resealer(db, ring);
      let left = 0;
      for (const { id: cellId } of await db.cells.list()) {
        for (const column of sealedColumns) {
          const result = await resealer.reseal(cellId, column);
          say(
            `${cellId}.${column.table}: ${result.resealed} sealed anew, ${result.unopened.length} do not open`,
          );
          for (const id of result.unopened) say(`  does not open: ${id}`);
          left += result.unopened.length;
        }
      }
      return left;
    }),
  );
  if (unopened === 0) {
    say(
      `Everything is sealed with key ${ring.currentId}. Once every process was started with it as the first key, run`,
    );
    say('this again: when it finds nothing more to do, the other keys may be taken out of ENCRYPTION_KEYS.');
    return;
  }
  say(`${unopened} values do not open: put the keys back that sealed them, or have their secrets set again.`);
  process.exitCode = 1;
}

void runCommand(secretsRotate);
