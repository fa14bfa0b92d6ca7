import { runCommand, say, UsageError } from './command';
import { withMigrator } from './with-migrator';

/** `npm run cell:create -- <id>`: makes another cell and opens it for new workspaces. */
async function cellCreate(args: readonly string[]): Promise<void> {
  const [cellId] = args;
  if (cellId === undefined || args.length !== 1) {
    throw new UsageError('Which cell? Give it a name:\n  npm run cell:create -- cell_2');
  }
  await withMigrator(async (migrator) => {
    const applied = await migrator.createCell(cellId);
    for (const name of applied) say(`applied  ${name}`);
    say(`The cell ${cellId} is ready. Running processes place new workspaces there from now on.`);
  });
}

void runCommand(cellCreate);
