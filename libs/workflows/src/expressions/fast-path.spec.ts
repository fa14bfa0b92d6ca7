import fc from 'fast-check';
import jsonata from 'jsonata';
import type { JsonObject, JsonValue } from '../definition/json';
import { cleanJson } from './clean-json';
import { fastPath, needsJsonata, type FastResult } from './fast-path';
import { isSyntaxNode } from './syntax-tree';

function fast(source: string, scope: JsonObject): FastResult {
  const root: unknown = jsonata(source).ast();
  const path = isSyntaxNode(root) ? fastPath(root) : undefined;
  return path === undefined ? needsJsonata : path(scope);
}

async function slow(source: string, scope: JsonObject): Promise<JsonValue | undefined> {
  const result: unknown = await jsonata(source).evaluate(structuredClone(scope));
  return result === undefined ? undefined : cleanJson(result);
}

/** Few names and few values, so that random paths often meet something and random comparisons are often equal. */
const names = ['a', 'b', 'c', '_jsonata_function', '__proto__'] as const;
const scalar = fc.constantFrom<JsonValue>(null, true, false, 0, 1, -1, 2.5, '', 'a', 'b', '1');
const { value: json } = fc.letrec<{
  value: JsonValue;
  array: JsonValue;
  matrix: JsonValue;
  object: JsonValue;
}>((tie) => ({
  value: fc.oneof({ maxDepth: 4, depthSize: 'small' }, scalar, tie('object'), tie('array'), tie('matrix')),
  array: fc.array(tie('value'), { maxLength: 3 }),
  // Arrays in arrays are where flattening shows.
  matrix: fc.array(fc.array(scalar, { maxLength: 2 }), { maxLength: 2 }),
  object: fc
    .array(fc.tuple(fc.constantFrom(...names), tie('value')), { maxLength: 4 })
    // Through text, because only JSON.parse makes a member named __proto__.
    .map((members) =>
      JSON.parse(`{${members.map(([key, value]) => `"${key}":${JSON.stringify(value)}`).join()}}`),
    ),
}));
const scope = fc.record({ a: json, b: json }).map(({ a, b }): JsonObject => ({ a, b, c: 1 }));

const step = fc
  .tuple(
    fc.constantFrom(...names),
    fc.constantFrom('', '', '', '[0]', '[1]', '[-1]', '[0.5]', '[-1.5]', '[9]'),
  )
  .map(([name, index]) => `\`${name}\`${index}`);
const path = fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => steps.join('.'));
const literal = fc.constantFrom('null', 'true', 'false', '0', '1', '-1', '2.5', '""', '"a"', "'b'");
const { expression } = fc.letrec<{ expression: string; binary: string; condition: string; fallback: string }>(
  (tie) => ({
    expression: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      path,
      literal,
      tie('binary'),
      tie('condition'),
      tie('fallback'),
    ),
    binary: fc
      .tuple(
        tie('expression'),
        fc.constantFrom('=', '!=', '<', '<=', '>', '>=', 'and', 'or', '&'),
        tie('expression'),
      )
      .map((parts) => parts.join(' ')),
    condition: fc
      .tuple(tie('expression'), tie('expression'), fc.option(tie('expression')))
      .map(([test, then, otherwise]) => `${test} ? ${then}${otherwise === null ? '' : ` : ${otherwise}`}`),
    fallback: fc.tuple(tie('expression'), tie('expression')).map((parts) => parts.join(' ?? ')),
  }),
);

describe('The fast path', () => {
  test('gives what JSONata gives, or says that JSONata must be asked', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(expression, scope, async (source, given) => {
        const before = structuredClone(given);
        const result = fast(source, given);
        expect(given).toStrictEqual(before);
        if (result === needsJsonata) return;
        answered += 1;
        expect(result === undefined ? undefined : cleanJson(result)).toStrictEqual(await slow(source, given));
      }),
      { numRuns: 1_000 },
    );
    // A fast path that never answers would be equal to anything.
    expect(answered).toBeGreaterThan(300);
  }, 60_000);

  test.each([
    'trigger.body.x',
    'nodes.a.rows[0].id',
    'trigger.count > 2 and trigger.kind = "push"',
    'trigger.name ?? "nobody"',
    'trigger.ok ? "yes" : "no"',
    '"Hello " & trigger.name',
  ])('is taken for %s', (source) => {
    const given = {
      trigger: { body: { x: 1 }, count: 3, kind: 'push', ok: true, name: 'Ada' },
      nodes: { a: { rows: [{ id: 1 }] } },
    };
    expect(fast(source, given)).not.toBe(needsJsonata);
  });

  test.each([
    'a[].b',
    'a{b: c}',
    'a.b^(c)',
    'a@$x.b',
    'a#$i.b',
    '$.a',
    'a[b=1]',
    'a.*',
    'a.%',
    '"x"[0]',
    '(a).b',
    'a.(b)',
  ])('is not taken for %s', (source) => {
    let path: unknown;
    try {
      const root: unknown = jsonata(source).ast();
      path = isSyntaxNode(root) ? fastPath(root) : undefined;
    } catch {
      // JSONata itself refuses `%` where there is no parent.
    }
    expect(path).toBeUndefined();
  });
});
