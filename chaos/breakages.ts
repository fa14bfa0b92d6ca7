import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../apps/api/test/support/built-application';
import { OptionsError } from './options';

/** A way to break the engine on purpose, and the line of the table that has to report it. */
export interface Breakage {
  readonly name: string;
  readonly what: string;
  /** The title of a check that must find it. */
  readonly reportedAs: string;
  /** A change of what was built: a file, a text that must stand there, and what takes its place. */
  readonly patch?: { readonly file: string; readonly from: string; readonly to: string };
  /** A change of the database. */
  readonly sql?: string;
}

/** What was built and is run. */
const BUILT = ['apps/api/src', 'libs', 'migrations'];
const WORKFLOWS = 'dist/libs/workflows/src';
const ENGINE = `${WORKFLOWS}/engine`;

/** Each takes away one thing that a promise rests on. */
export const breakages: readonly Breakage[] = [
  {
    name: 'fence',
    what: 'a checkpoint does not look whether its worker was declared dead',
    reportedAs: 'fences violated',
    patch: {
      file: `${ENGINE}/sql/checkpoint.sql.js`,
      from: 'select from engine_workers where id = $1::uuid for key share',
      to: 'select where $1::uuid is not null',
    },
  },
  {
    name: 'checkpoint-order',
    what: 'an effect begins before what it depends on is committed',
    reportedAs: 'effects before what they depend on was recorded',
    patch: {
      file: `${ENGINE}/node-executor.js`,
      from: 'await journal.committed()',
      to: '(void journal.committed(), true)',
    },
  },
  {
    name: 'rescuer',
    what: 'nobody takes over what dead workers held',
    reportedAs: 'runs stuck',
    patch: {
      file: `${ENGINE}/sql/workers.sql.js`,
      from: `where q.state = 'owned' and not exists`,
      to: `where q.state = 'nobody' and not exists`,
    },
  },
  {
    name: 'idempotency-key',
    what: 'each attempt of a call has a key of its own',
    reportedAs: 'repeats with another key or body',
    patch: {
      file: `${ENGINE}/node-runner.js`,
      from: 'idempotencyKey: `${scope.run.id}:${place}`',
      to: 'idempotencyKey: `${scope.run.id}:${place}:${Math.random()}`',
    },
  },
  {
    name: 'iteration',
    what: 'calls of a node in a loop have the same key in each item',
    reportedAs: 'keys that stand for different calls',
    patch: {
      file: `${ENGINE}/node-runner.js`,
      from: "const place = iteration === '' ?",
      to: 'const place = true ?',
    },
  },
  {
    name: 'unsafe',
    what: 'nothing tells that an attempt which may not be repeated has begun',
    reportedAs: 'effects of unsafe nodes doubled',
    patch: {
      file: `${ENGINE}/node-executor.js`,
      from: "if (place.node.policy.repeat === 'safe')",
      to: 'if (place.node.policy.repeat)',
    },
  },
  {
    name: 'callbacks',
    what: 'a call of a waiting node is accepted and forgotten',
    reportedAs: 'runs stuck',
    patch: {
      file: `${WORKFLOWS}/waits/callbacks.service.js`,
      from: 'const result = await this.engine.signal(',
      to: "const result = 'accepted'; void (",
    },
  },
  {
    name: 'called-runs',
    what: 'whoever runs a workflow does not wait for its end',
    reportedAs: 'callers that went on before the called run ended',
    patch: {
      file: `${ENGINE}/node-executor.js`,
      from: 'return call.wait ?',
      to: 'return false ?',
    },
  },
  {
    name: 'replay',
    what: 'what was recorded is not taken up after a crash',
    reportedAs: 'completed nodes executed again',
    patch: {
      file: `${ENGINE}/held-runs.js`,
      from: 'recorded: progress.nodes.get(run.runId) ?? []',
      to: 'recorded: []',
    },
  },
  {
    name: 'start-keys',
    what: 'a start key that is known is not looked for',
    reportedAs: 'runs made twice for one key',
    patch: {
      file: `${ENGINE}/run-starter.js`,
      from: 'await tx.query(start_keys_sql_1.claimStartKeys',
      to: 'return { results, followers }; await tx.query(start_keys_sql_1.claimStartKeys',
    },
  },
  {
    name: 'unique-key',
    what: 'the database takes a second row of the same node',
    reportedAs: 'node results recorded twice',
    sql: 'alter table cell_1.workflow_node_runs drop constraint workflow_node_runs_pkey',
  },
];

/** The breakage of a name. Throws a sentence that lists all. */
export function breakageOf(name: string): Breakage {
  const found = breakages.find((breakage) => breakage.name === name);
  if (found) return found;
  const list = breakages.map((breakage) => `  ${breakage.name.padEnd(18)} ${breakage.what}`).join('\n');
  throw new OptionsError(`--break takes one of these:\n${list}`);
}

/**
 * The main program of a copy of what was built, with the patches applied. Nothing of it touches the product. Throws when
 * a text to be replaced does not stand there exactly once: the engine has changed, and the breakage must follow.
 */
export function brokenProgram(folder: string, broken: readonly Breakage[]): string {
  const copy = join(folder, ['broken', ...broken.map(({ name }) => name)].join('-'));
  mkdirSync(copy);
  for (const part of BUILT) cpSync(join(ROOT, 'dist', part), join(copy, 'dist', part), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  for (const { file, from, to } of broken.flatMap(({ patch }) => patch ?? [])) {
    const path = join(copy, file);
    const parts = readFileSync(path, 'utf8').split(from);
    if (parts.length !== 2)
      throw new Error(`"${from}" stands ${parts.length - 1} times in ${file}, not once.`);
    writeFileSync(path, parts.join(to));
  }
  return join(copy, 'dist/apps/api/src/main.js');
}
