import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SystemClock } from '#platform';
import { runCommand, say, UsageError } from './command';
import { checkName, indexWith, type NewMigration, nextTimestamp, pathOf, skeletonOf } from './new-migration';
import { parsePlane } from './plane';

const USAGE = `What shall it be called, and where does it belong?
  npm run migrate:create -- AddInvitations                 (control: tables of the installation)
  npm run migrate:create -- AddSchedules --plane cell      (tables beside the runs, in every cell)`;

/** `npm run migrate:create -- <Name> [--plane control|cell]`: begins a migration and lists it in the index. */
function migrateCreate(args: readonly string[]): Promise<void> {
  const { name, plane } = parse(args);
  const folder = resolve('migrations');
  const indexFile = join(folder, 'index.ts');
  if (!existsSync(indexFile))
    throw new UsageError(`There is no ${indexFile}: run this in a checkout of the sources.`);
  const index = readFileSync(indexFile, 'utf8');
  checkName(name, index);
  const nowMs = new SystemClock().now().getTime();
  const migration: NewMigration = { plane: parsePlane(plane), name, timestamp: nextTimestamp(index, nowMs) };
  const changedIndex = indexWith(index, migration);
  // 'wx': never over a file that somebody has written.
  writeFileSync(join(folder, pathOf(migration)), skeletonOf(migration), { flag: 'wx' });
  writeFileSync(indexFile, changedIndex);
  say(`Wrote migrations/${pathOf(migration)} and listed it in migrations/index.ts.`);
  say('Write its up, down and comment, then run `npm run generate` and `npm test`.');
  return Promise.resolve();
}

function parse(args: readonly string[]): { readonly name: string; readonly plane: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { plane: { type: 'string', default: 'control' } },
      allowPositionals: true,
    });
    const [name] = positionals;
    if (name === undefined || positionals.length !== 1) throw new UsageError(USAGE);
    return { name, plane: values.plane };
  } catch (error) {
    throw new UsageError(USAGE, { cause: error });
  }
}

void runCommand(migrateCreate);
