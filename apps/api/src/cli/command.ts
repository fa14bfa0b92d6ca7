import { inspect } from 'node:util';
import {
  ConfigError,
  DatabaseCheckError,
  EmbeddedPostgresError,
  InstallationKeyError,
  MigrationError,
} from '#platform';

/** A command was called wrongly: the message says how to call it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Errors whose message is written for the person at the terminal; of any other, the stack is wanted as well. */
const PLAIN = [
  UsageError,
  ConfigError,
  DatabaseCheckError,
  EmbeddedPostgresError,
  InstallationKeyError,
  MigrationError,
];

/** Runs a command with the arguments of this process. Exit codes: 0 done, 1 failed, 2 called wrongly. */
export async function runCommand(command: (args: readonly string[]) => Promise<void>): Promise<void> {
  try {
    await command(process.argv.slice(2));
  } catch (error) {
    const isPlain = error instanceof Error && PLAIN.some((type) => error instanceof type);
    process.stderr.write(`${isPlain ? error.message : inspect(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** Prints a line of the command's result. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** For commands without arguments: refuses what would otherwise be overlooked. */
export function takesNothing(args: readonly string[]): void {
  if (args.length > 0)
    throw new UsageError(`This command takes no arguments, and was given "${args.join(' ')}".`);
}
