import { parseArgs } from 'node:util';
import { runCommand, say, UsageError } from './command';
import { parsePlane, type Plane } from './plane';
import { withMigrator } from './with-migrator';

const USAGE = `Which plane? One step is taken back in one of them:
  npm run migrate:revert -- --plane control    (once per installation)
  npm run migrate:revert -- --plane cell       (in every cell)`;

/** `npm run migrate:revert -- --plane control|cell`: takes back the newest migration of a plane. */
async function migrateRevert(args: readonly string[]): Promise<void> {
  const plane = planeOf(args);
  await withMigrator(async (migrator) => {
    const reverted = await migrator.revert(plane);
    for (const name of reverted) say(`reverted  ${name}`);
    if (reverted.length === 0) say(`Nothing to revert: no migration of the plane ${plane} is applied.`);
  });
}

function planeOf(args: readonly string[]): Plane {
  let plane: string | undefined;
  try {
    plane = parseArgs({ args: [...args], options: { plane: { type: 'string' } } }).values.plane;
  } catch (error) {
    throw new UsageError(USAGE, { cause: error });
  }
  if (plane === undefined) throw new UsageError(USAGE);
  return parsePlane(plane);
}

void runCommand(migrateRevert);
