import { SampleTree } from '../testing/sample-tree';

// Every rule of .dependency-cruiser.cjs is fed a file that breaks it (and must break nothing else) and the nearest file
// that is allowed. One cruise judges the whole sample, so that a rule that fires too often is seen as well.

interface Case {
  readonly rule: string;
  readonly bad: Readonly<Record<string, string>>;
  readonly good: Readonly<Record<string, string>>;
}

const SCENERY = {
  'apps/api/src/main.ts': `export const main = 1;`,
  'libs/platform/src/index.ts': `export { Clock } from './time/clock';`,
  'libs/platform/src/time/clock.ts': `export abstract class Clock {}`,
  'libs/platform/src/db/manager-of.ts': `export const managerOf = 1;`,
  'libs/platform/src/testing/index.ts': `export const testDb = 1;`,
  'libs/workflows/src/index.ts': `export { EngineError } from './engine/engine-error';`,
  'libs/workflows/src/engine/engine-error.ts': `export const EngineError = 1;`,
  'libs/workflows/src/definition/graph.ts': `export const graph = 1;`,
  'libs/workflows/src/catalog/workflow.controller.ts': `export const controller = 1;`,
  'libs/billing/src/index.ts': `export type Plan = string;`,
  'libs/billing/src/cycle/right.ts': `import type { left } from './left'; export const right = (l: typeof left) => l;`,
};

const CASES: readonly Case[] = [
  {
    rule: 'no-cycles',
    bad: {
      'libs/billing/src/cycle/left.ts': `import { right } from './right'; export const left = () => right;`,
    },
    good: {
      'libs/billing/src/chain/left.ts': `import { right } from './right'; export const left = right;`,
      'libs/billing/src/chain/right.ts': `export const right = 1;`,
    },
  },
  {
    rule: 'must-resolve',
    bad: { 'libs/billing/src/lost.ts': `import { x } from '#nowhere'; export const y = x;` },
    good: {
      'libs/billing/src/found.ts': `import { readFileSync } from 'node:fs'; export const y = readFileSync;`,
    },
  },
  {
    rule: 'domains-are-strangers',
    bad: { 'libs/workflows/src/stranger.ts': `import type { Plan } from '#billing'; export type P = Plan;` },
    good: { 'libs/workflows/src/polite.ts': `import { Clock } from '#platform'; export const c = Clock;` },
  },
  {
    rule: 'platform-knows-nobody',
    bad: { 'libs/platform/src/knows.ts': `export type { Plan } from '#billing';` },
    good: { 'libs/platform/src/humble.ts': `import { Clock } from './time/clock'; export const c = Clock;` },
  },
  {
    rule: 'libs-never-import-apps',
    bad: {
      'libs/billing/src/app.ts': `import { main } from '../../../apps/api/src/main'; export const m = main;`,
    },
    good: { 'apps/api/src/app.ts': `import { main } from './main'; export const m = main;` },
  },
  {
    rule: 'front-door-only',
    bad: {
      'libs/billing/src/back-door.ts': `import { Clock } from '../../platform/src/time/clock'; export const c = Clock;`,
      'apps/api/src/back-door.ts': `import { graph } from '../../../libs/workflows/src/definition/graph'; export const g = graph;`,
    },
    good: {
      'apps/api/src/front-door.ts': `import { EngineError } from '#workflows'; export const e = EngineError;`,
    },
  },
  {
    rule: 'orm-stays-in-persistence',
    bad: {
      'libs/billing/src/plan.service.ts': `import { DataSource } from 'typeorm'; export const d = DataSource;`,
      'libs/billing/src/plan-two.service.ts': `import { InjectRepository } from '@nestjs/typeorm'; export const i = InjectRepository;`,
    },
    good: {
      'libs/billing/src/plan.entity.ts': `import { Entity } from 'typeorm'; export const e = Entity;`,
      'migrations/control/1-plans.ts': `import type { QueryRunner } from 'typeorm'; export type Q = QueryRunner;`,
    },
  },
  {
    rule: 'orm-door-for-repositories',
    bad: {
      'libs/billing/src/usage.service.ts': `import { managerOf } from '#platform/orm'; export const m = managerOf;`,
    },
    good: {
      'libs/billing/src/usage.repository.ts': `import { managerOf } from '#platform/orm'; export const m = managerOf;`,
    },
  },
  {
    rule: 'raw-pg-only-in-platform',
    bad: {
      'libs/billing/src/raw.repository.ts': `import { Pool } from 'pg'; export const p = Pool;`,
      'libs/platform/src/http/raw.ts': `import type { Pool } from 'pg'; export type P = Pool;`,
    },
    good: { 'libs/platform/src/db/pool.ts': `import { Pool } from 'pg'; export const p = Pool;` },
  },
  {
    rule: 'schedule-only-in-loops',
    bad: { 'libs/billing/src/tick.ts': `import { Cron } from '@nestjs/schedule'; export const c = Cron;` },
    good: {
      'libs/platform/src/loops/loop.ts': `import { Cron } from '@nestjs/schedule'; export const c = Cron;`,
    },
  },
  {
    rule: 'not-to-test',
    bad: {
      'libs/billing/src/leans.ts': `import { testDb } from '#platform/testing'; export const t = testDb;`,
    },
    good: {
      'libs/billing/src/leans.it-spec.ts': `import { testDb } from '#platform/testing'; export const t = testDb;`,
    },
  },
  {
    rule: 'not-to-dev-dependency',
    bad: { 'libs/billing/src/dev.ts': `import fc from 'fast-check'; export const f = fc;` },
    good: { 'libs/billing/src/dev.spec.ts': `import fc from 'fast-check'; export const f = fc;` },
  },
  {
    rule: 'pure-core',
    bad: {
      'libs/workflows/src/definition/platform.ts': `import type { Clock } from '#platform'; export type C = Clock;`,
      'libs/workflows/src/definition/disk.ts': `import { readFileSync } from 'node:fs'; export const r = readFileSync;`,
      'libs/workflows/src/expressions/engine.ts': `import { EngineError } from '../engine/engine-error'; export const e = EngineError;`,
      'libs/workflows/src/triggers/schedules/calculus/now.ts': `import type { Clock } from '#platform'; export type C = Clock;`,
      'libs/workflows/src/triggers/schedules/calculus/service.ts': `import { controller } from '../../../catalog/workflow.controller'; export const c = controller;`,
    },
    good: {
      'libs/workflows/src/triggers/schedules/calculus/timing.ts': `import { z } from 'zod'; import { graph } from '../../../definition/graph'; export const all = [z, graph];`,
      'libs/workflows/src/triggers/schedules/due.ts': `import { Clock } from '#platform'; export const c = Clock;`,
      'libs/workflows/src/expressions/evaluate.ts': `import jsonata from 'jsonata'; import { RE2JS } from 're2js'; import { z } from 'zod'; import { graph } from '../definition/graph'; export const all = [jsonata, RE2JS, z, graph];`,
      'libs/workflows/src/expressions/evaluate.spec.ts': `import fc from 'fast-check'; export const f = fc;`,
    },
  },
  {
    rule: 'engine-without-orm-or-http',
    bad: {
      'libs/workflows/src/engine/http.ts': `import { FastifyAdapter } from '@nestjs/platform-fastify'; export const f = FastifyAdapter;`,
      'libs/workflows/src/engine/controls.ts': `import { controller } from '../catalog/workflow.controller'; export const c = controller;`,
      'libs/workflows/src/engine/run.repository.ts': `import { Entity } from 'typeorm'; export const e = Entity;`,
    },
    good: {
      'libs/workflows/src/engine/claimer.ts': `import { Injectable } from '@nestjs/common'; export const i = Injectable;`,
    },
  },
  {
    rule: 'migrations-stand-alone',
    bad: { 'migrations/cell/2-domain.ts': `import type { Plan } from '#billing'; export type P = Plan;` },
    good: { 'migrations/cell/3-plain.ts': `import { Clock } from '#platform'; export const c = Clock;` },
  },
];

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

describe('boundaries', () => {
  let tree: SampleTree;
  let violations: readonly Violation[];

  const rulesBrokenBy = (path: string): readonly string[] =>
    violations.filter((violation) => violation.from === path).map((violation) => violation.rule.name);

  beforeAll(async () => {
    const files = CASES.map(({ bad, good }) => ({ ...bad, ...good }));
    tree = await SampleTree.create(Object.assign({}, SCENERY, ...files) as Record<string, string>);
    const outcome = await tree.run('dependency-cruiser/bin/dependency-cruise.mjs', [
      'apps',
      'libs',
      'migrations',
      '--output-type=json',
    ]);
    violations = (JSON.parse(outcome.stdout) as { summary: { violations: Violation[] } }).summary.violations;
  });

  afterAll(async () => {
    await tree.remove();
  });

  it.each(CASES)('$rule fires on a bad file, and no other rule does', ({ rule, bad }) => {
    for (const path of Object.keys(bad)) {
      expect({ path, broken: [...new Set(rulesBrokenBy(path))] }).toEqual({ path, broken: [rule] });
    }
  });

  it.each(CASES)('$rule leaves the nearest allowed file alone', ({ good }) => {
    for (const path of [...Object.keys(good), ...Object.keys(SCENERY)]) {
      expect({ path, broken: rulesBrokenBy(path) }).toEqual({ path, broken: [] });
    }
  });

  it('proves every rule and explains every rule', async () => {
    const { forbidden } = (await import('../../.dependency-cruiser.cjs')) as {
      forbidden: readonly { name: string; comment: string }[];
    };
    expect(CASES.map(({ rule }) => rule)).toEqual(forbidden.map(({ name }) => name));
    expect(forbidden.filter(({ comment }) => comment.length < 60)).toEqual([]);
  });
});
