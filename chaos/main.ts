import { writeFileSync } from 'node:fs';
import { builtProgram } from '../apps/api/test/support/built-application';
import { type Breakage, breakageOf, brokenProgram } from './breakages';
import { runFailpoints } from './failpoints/failpoints';
import { runKills } from './kills';
import { LabServer } from './lab/lab-server';
import { HELP, type Options, OptionsError, parseOptions } from './options';
import { failpointLines } from './report/failpoint-lines';
import { faultsOf, type Line, linesOf, tableOf } from './report/report';
import { storiesOf } from './report/story';

/** What a part of the lab adds to the table, and to the JSON beside it. */
interface Part {
  readonly lines: readonly Line[];
  readonly details: object;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), Date.now());
  if (options === null) {
    say(HELP);
    return 0;
  }
  const broken = options.break.map(breakageOf);
  const startedMs = performance.now();
  say(`Crash lab, seed ${options.seed}`);
  const server = await LabServer.start();
  try {
    const parts = await partsOf(options, broken, server);
    return report(options, parts, Math.round((performance.now() - startedMs) / 1000));
  } finally {
    await server.stop();
  }
}

async function partsOf(
  options: Options,
  broken: readonly Breakage[],
  server: LabServer,
): Promise<readonly Part[]> {
  for (const { what, reportedAs } of broken) {
    say(`Broken on purpose: ${what}. To be reported as: ${reportedAs}.`);
  }
  const program = broken.length > 0 ? brokenProgram(server.folder, broken) : builtProgram('main');
  const sql = broken.flatMap((breakage) => breakage.sql ?? []).join(';') || null;
  const parts: Part[] = [];
  const interrupted = new AbortController();
  process.once('SIGTERM', () => interrupted.abort());
  if (options.only !== 'failpoints') {
    const facts = await runKills({ ...options, server, program, sql, say, signal: interrupted.signal });
    const lines = linesOf(facts);
    const { collapses } = facts.history;
    parts.push({ lines, details: { faults: faultsOf(facts), collapses, stories: storiesOf(facts, lines) } });
  }
  if (options.only !== 'kills' && !interrupted.signal.aborted) {
    const points = await runFailpoints({ ...options, server, program, sql, say });
    parts.push({ lines: failpointLines(points), details: { points } });
  }
  return parts;
}

function report(options: Options, parts: readonly Part[], seconds: number): number {
  const lines = parts.flatMap((part) => part.lines);
  const kept = lines.every(({ ok }) => ok !== false);
  say(`\n${tableOf(lines)}\n`);
  say(
    `${kept ? 'Every promise was kept' : 'A promise was BROKEN'} in ${seconds} s. Again: --seed ${options.seed}`,
  );
  if (options.json !== null) {
    const details = Object.assign({}, ...parts.map((part) => part.details)) as object;
    writeFileSync(options.json, JSON.stringify({ ...options, seconds, kept, lines, ...details }, null, 2));
  }
  return kept ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const text = error instanceof Error && !(error instanceof OptionsError) ? error.stack : String(error);
    process.stderr.write(`${text}\n`);
    process.exit(2);
  },
);
