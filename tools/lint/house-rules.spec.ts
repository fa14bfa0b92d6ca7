import { SampleTree } from '../testing/sample-tree';

// Each snippet becomes a file of a sample tree that is linted with the real .oxlintrc.json, so the paths and the
// exemptions of the configuration are proven together with the rules.

interface Case {
  readonly rule: string;
  readonly bad: readonly string[];
  readonly good: readonly string[];
}

const CASES: readonly Case[] = [
  {
    rule: 'house(injected-time)',
    bad: [
      `export const at = Date.now();`,
      `export const at = Date['now']();`,
      `export const at = new Date();`,
      `export const at = globalThis.Date.now();`,
      `const { now } = Date; export const at = now;`,
      `export const at = Date();`,
      `export const ms = performance.now();`,
      `import { performance } from 'node:perf_hooks'; export const p = performance;`,
      `export const timer = setTimeout(() => undefined, 1);`,
      `export const timer = globalThis.setInterval(() => undefined, 1);`,
      `export const later = setImmediate;`,
      `import { setTimeout as sleep } from 'node:timers/promises'; export const s = sleep;`,
    ],
    good: [
      `export const parsed = new Date('2026-01-01T00:00:00Z');`,
      `export const at = (clock: { readonly now: () => Date }) => clock.now();`,
      `export const at = (Date: { readonly now: () => number }) => Date.now();`,
      `export const signal = AbortSignal.timeout(5_000);`,
    ],
  },
  {
    rule: 'house(injected-randomness)',
    bad: [
      `export const jitter = Math.random();`,
      `export const id = crypto.randomUUID();`,
      `export const bytes = globalThis.crypto.getRandomValues(new Uint8Array(4));`,
      `import { randomBytes as bytes } from 'node:crypto'; export const b = bytes(4);`,
      `import * as node from 'node:crypto'; export const b = node.randomInt(4);`,
    ],
    good: [
      `import { createHash } from 'node:crypto'; export const hash = createHash('sha256');`,
      `import type { randomBytes } from 'node:crypto'; export type Bytes = typeof randomBytes;`,
      `export const most = Math.max(1, 2);`,
    ],
  },
  {
    rule: 'house(injected-config)',
    bad: [
      `export const port = process.env['PORT'];`,
      `const { env } = process; export const port = env;`,
      `import { env } from 'node:process'; export const port = env;`,
    ],
    good: [`export const id = process.pid;`],
  },
  {
    rule: 'house(one-way-out)',
    bad: [
      `export const answer = fetch('http://10.0.0.1/');`,
      `export const answer = globalThis.fetch('http://10.0.0.1/');`,
      `const { fetch: get } = globalThis; export const answer = get('http://10.0.0.1/');`,
      `export const socket = new WebSocket('ws://10.0.0.1/');`,
      `import { request } from 'undici'; export const r = request;`,
      `import { Agent as A } from 'undici'; export const a = new A();`,
      `import { get } from 'node:http'; export const g = get;`,
      `import { request } from 'node:https'; export const r = request;`,
      `import * as net from 'node:net'; export const s = net.connect(80);`,
      `import net from 'node:net'; export const s = net.connect(80);`,
      `import { connect } from 'node:tls'; export const s = connect(443);`,
      `import { connect } from 'node:http2'; export const s = connect('http://a');`,
      `import { createSocket } from 'node:dgram'; export const s = createSocket('udp4');`,
      `import { lookup } from 'node:dns/promises'; export const l = lookup;`,
      `export { request } from 'undici';`,
      `export const undici = await import('undici');`,
    ],
    good: [
      `import { isIP } from 'node:net'; export const i = isIP;`,
      `import type { IncomingHttpHeaders } from 'node:http'; export type H = IncomingHttpHeaders;`,
      `import { STATUS_CODES } from 'node:http'; export const s = STATUS_CODES;`,
      `export const answer = (fetch: (url: string) => string) => fetch('x');`,
      `export type { Dispatcher } from 'undici';`,
    ],
  },
  {
    rule: 'house(few-parameters)',
    bad: [
      `export function many(a: string, b: string, c: string, d: string): string { return a + b + c + d; }`,
      `export const many = (a: string, b: string, c: string, d: string) => a + b + c + d;`,
      `export abstract class Port { abstract ask(a: string, b: string, c: string, d: string): void; }`,
    ],
    good: [
      `export const few = (a: string, b: string, c: string) => a + b + c;`,
      `import { Param } from '@nestjs/common';
       export class Handler {
         constructor(readonly a: string, readonly b: string, readonly c: string, readonly d: string) {}
         show(@Param('a') a: string, @Param('b') b: string, @Param('c') c: string, @Param('d') d: string): string {
           return a + b + c + d;
         }
       }`,
    ],
  },
  {
    rule: 'house(no-export-all)',
    bad: [`export * from 'node:path';`, `export * as path from 'node:path';`],
    good: [`export { join } from 'node:path';`],
  },
  {
    rule: 'house(no-import-in-place)',
    bad: [`export type Stats = import('node:fs').Stats;`],
    good: [`import type { Stats } from 'node:fs'; export type S = Stats;`],
  },
  {
    rule: 'house(no-enum)',
    bad: [`export enum Status { Queued = 'queued' }`],
    good: [`export type Status = 'queued' | 'running';`],
  },
  {
    rule: 'import(no-default-export)',
    bad: [`export default class Thing { readonly x = 1; }`],
    good: [`export class Thing { readonly x = 1; }`],
  },
  {
    rule: 'typescript(no-explicit-any)',
    bad: [`export type Anything = any;`],
    good: [`export type Anything = unknown;`],
  },
  {
    rule: 'typescript(no-non-null-assertion)',
    bad: [`export const first = (list: readonly string[]) => list[0]!;`],
    good: [`export const first = (list: readonly string[]) => list[0] ?? '';`],
  },
  {
    rule: 'typescript(consistent-type-assertions)',
    bad: [`export const name = (value: unknown) => value as string;`],
    good: [`export const names = ['a', 'b'] as const;`],
  },
  {
    rule: 'typescript(no-floating-promises)',
    bad: [`const work = async () => Promise.resolve(1); export function run(): void { work(); }`],
    good: [
      `const work = async () => Promise.resolve(1); export async function run(): Promise<void> { await work(); }`,
    ],
  },
  {
    rule: 'typescript(no-misused-promises)',
    bad: [
      `const tell = async (x: string) => Promise.resolve(x); export const run = () => { ['a'].forEach(tell); };`,
    ],
    good: [
      `const tell = async (x: string) => Promise.resolve(x); export const run = async () => Promise.all(['a'].map(tell));`,
    ],
  },
  {
    rule: 'typescript(await-thenable)',
    bad: [`export const run = async () => { const one = 1; await one; };`],
    good: [`export const run = async () => { await Promise.resolve(1); };`],
  },
  {
    rule: 'typescript(switch-exhaustiveness-check)',
    bad: [`export function size(x: 'a' | 'b'): number { switch (x) { case 'a': return 1; } return 2; }`],
    good: [
      `export function size(x: 'a' | 'b'): number { switch (x) { case 'a': return 1; case 'b': return 2; } }`,
    ],
  },
  {
    rule: 'eslint(no-restricted-imports)',
    bad: [
      `import { forwardRef } from '@nestjs/common'; export const f = forwardRef;`,
      `import { ModuleRef } from '@nestjs/core'; export const m = ModuleRef;`,
    ],
    good: [`import { Injectable } from '@nestjs/common'; export const i = Injectable;`],
  },
];

const RAW = `export const raw = [Date.now(), Math.random(), process.env['HOME']];`;
const RAW_RULES = ['house(injected-config)', 'house(injected-randomness)', 'house(injected-time)'];
const OUT = `import { connect } from 'node:net'; export const out = [connect, fetch];`;

/** What a path changes: path → text and the rules expected to fire there. */
const PLACES: readonly {
  readonly path: string;
  readonly text: string;
  readonly broken: readonly string[];
}[] = [
  { path: 'libs/billing/src/raw.ts', text: RAW, broken: RAW_RULES },
  { path: 'apps/api/src/raw.ts', text: RAW, broken: RAW_RULES },
  { path: 'libs/workflows/src/engine/raw.ts', text: RAW, broken: RAW_RULES },
  { path: 'libs/platform/src/time/raw.ts', text: RAW, broken: [] },
  { path: 'libs/workflows/src/nodes/out.ts', text: OUT, broken: ['house(one-way-out)'] },
  { path: 'libs/identity/src/oauth/out.ts', text: OUT, broken: ['house(one-way-out)'] },
  { path: 'apps/api/src/out.ts', text: OUT, broken: ['house(one-way-out)'] },
  { path: 'libs/workflows/src/egress/out.ts', text: OUT, broken: [] },
  { path: 'libs/platform/src/db/out.ts', text: OUT, broken: [] },
  { path: 'libs/billing/src/raw.spec.ts', text: RAW, broken: [] },
  { path: 'libs/billing/src/raw.it-spec.ts', text: RAW, broken: [] },
  { path: 'libs/billing/src/testing/raw.ts', text: RAW, broken: [] },
  { path: 'apps/api/test/raw.e2e-spec.ts', text: RAW, broken: [] },
  { path: 'migrations/cell/1763640000000-Raw.ts', text: RAW, broken: [] },
  { path: 'scripts/raw.mjs', text: RAW, broken: [] },
  {
    path: 'libs/billing/src/any.spec.ts',
    text: `export const loose = (x: unknown) => x as any;`,
    broken: ['typescript(no-explicit-any)'],
  },
  {
    path: 'libs/billing/src/billing-manager.ts',
    text: `export const x = 1;`,
    broken: ['house(telling-names)'],
  },
  { path: 'libs/billing/src/plan.helper.ts', text: `export const x = 1;`, broken: ['house(telling-names)'] },
  { path: 'libs/billing/src/manager-of.ts', text: `export const x = 1;`, broken: [] },
  {
    path: 'libs/workflows/src/engine/listen.ts',
    text: `import { Get, Injectable } from '@nestjs/common'; export const x = [Get, Injectable];`,
    broken: ['eslint(no-restricted-imports)'],
  },
  {
    path: 'libs/billing/src/long.ts',
    text: `export function long(): number {\n  let n = 0;\n${'  n += 1;\n'.repeat(60)}  return n;\n}\n`,
    broken: ['eslint(max-lines-per-function)'],
  },
  {
    path: 'libs/billing/src/endless.ts',
    text: Array.from({ length: 401 }, (_, line) => `export const x${line} = ${line};\n`).join(''),
    broken: ['eslint(max-lines)'],
  },
];

const slug = (rule: string) => rule.replaceAll(/[^a-z]+/g, '-').replace(/-$/, '');
const snippetPath = (rule: string, kind: string, index: number) =>
  `libs/billing/src/${slug(rule)}-${kind}-${index}.ts`;

interface Finding {
  readonly code: string;
  readonly filename: string;
  readonly message: string;
}

describe('the lint rules of the house', () => {
  let tree: SampleTree;
  let findings: readonly Finding[];

  const rulesBrokenBy = (path: string): readonly string[] => [
    ...new Set(findings.filter(({ filename }) => filename === path).map(({ code }) => code)),
  ];

  beforeAll(async () => {
    const files = new Map(PLACES.map(({ path, text }) => [path, text]));
    for (const { rule, bad, good } of CASES) {
      for (const [index, text] of bad.entries()) files.set(snippetPath(rule, 'bad', index), text);
      for (const [index, text] of good.entries()) files.set(snippetPath(rule, 'good', index), text);
    }
    tree = await SampleTree.create(Object.fromEntries(files));
    const outcome = await tree.run('oxlint/bin/oxlint', ['--disable-nested-config', '--format=json']);
    findings = (JSON.parse(outcome.stdout) as { diagnostics: Finding[] }).diagnostics;
  });

  afterAll(async () => {
    await tree.remove();
  });

  it.each(CASES)('$rule fires on every bad snippet, and no other rule does', ({ rule, bad }) => {
    for (const [index, text] of bad.entries()) {
      expect({ text, broken: rulesBrokenBy(snippetPath(rule, 'bad', index)) }).toEqual({
        text,
        broken: [rule],
      });
    }
  });

  it.each(CASES)('$rule leaves every good snippet alone', ({ rule, good }) => {
    for (const [index, text] of good.entries()) {
      expect({ text, broken: rulesBrokenBy(snippetPath(rule, 'good', index)) }).toEqual({ text, broken: [] });
    }
  });

  it.each(PLACES)('judges $path by its place', ({ path, broken }) => {
    expect(rulesBrokenBy(path).toSorted()).toEqual(broken);
  });

  it('says what to do instead', () => {
    const house = findings.filter(({ code }) => code.startsWith('house('));
    expect(house.filter(({ message }) => message.length < 60)).toEqual([]);
  });

  it('proves every rule of the plugin', async () => {
    const plugin = (await import('./plugin.mjs')) as { default: { rules: Record<string, unknown> } };
    const proven = new Set([...CASES.map(({ rule }) => rule), ...PLACES.flatMap(({ broken }) => broken)]);
    const unproven = Object.keys(plugin.default.rules).filter((name) => !proven.has(`house(${name})`));
    expect(unproven).toEqual([]);
  });
});
