import { parseArgs } from 'node:util';

/** What the lab was asked to do. */
export interface Options {
  readonly kills: number;
  readonly seed: number;
  readonly runs: number;
  readonly workers: number;
  readonly json: string | null;
  readonly only: 'kills' | 'failpoints' | null;
  readonly break: readonly string[];
}

/** A sentence about arguments that make no sense. */
export class OptionsError extends Error {}

export const HELP = `npm run chaos -- [options]

Proves the engine by killing it, and counts what was lost, doubled, stuck or late. Exits with 1 on any broken promise.

  --kills N     kill processes so often at random, with the other faults among them (200)
  --runs N      start so many runs meanwhile (15 for each kill)
  --workers N   worker processes, at least 3 (4)
  --seed N      repeats the faults and inputs of an earlier lab (from the clock)
  --only PART   kills, or failpoints: a kill before and after every statement and every call
  --json FILE   write the result there as JSON, too
  --break NAME  break a copy of the engine first, to see the lab report it: --break list tells the names; may be
                given several times
  --help        this
`;

/** Reads the arguments. Null when help is asked for. Throws an OptionsError. */
export function parseOptions(args: readonly string[], nowMs: number): Options | null {
  const { values } = parsed(args);
  if (values.help === true) return null;
  const kills = whole('kills', values.kills ?? '200', 1);
  const { only = null } = values;
  if (only !== null && only !== 'kills' && only !== 'failpoints') {
    throw new OptionsError(`--only is "${only}": it must be kills or failpoints.`);
  }
  return {
    kills,
    runs: whole('runs', values.runs ?? String(kills * 15), 1),
    workers: whole('workers', values.workers ?? '4', 3),
    seed: whole('seed', values.seed ?? String(nowMs % 1_000_000), 0),
    json: values.json ?? null,
    only,
    break: values.break ?? [],
  };
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        kills: text,
        runs: text,
        workers: text,
        seed: text,
        json: text,
        only: text,
        break: { ...text, multiple: true },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new OptionsError(error instanceof Error ? error.message : String(error));
  }
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least) {
    throw new OptionsError(`--${name} is "${text}": it must be a whole number of at least ${least}.`);
  }
  return value;
}
