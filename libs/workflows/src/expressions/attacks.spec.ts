import type { JsonValue } from '../definition/json';
import { ExpressionError } from './expression-error';
import type { ExpressionScope } from './scope';
import { compileTemplates, resolve } from './template';

/** Very generous, because the machine may be busy: unguarded, these take minutes, all memory, or for ever. */
const patienceMs = 20_000;
jest.setTimeout(2 * patienceMs);

const scope: ExpressionScope = {
  trigger: {
    text: 'a'.repeat(30),
    empty: [],
    list: [1, 2],
    proto: JSON.parse('{"__proto__": {"x": 1}, "a": 2}'),
  },
  nodes: {},
  run: { id: 'r', workflowId: 'w', workspaceId: 's', version: 1, startedAt: '2026-01-02T03:04:05Z' },
};

async function outcome(source: string): Promise<JsonValue | ExpressionError> {
  const startedMs = performance.now();
  try {
    return await resolve(compileTemplates(`{{ ${source} }}`), scope);
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  } finally {
    expect(performance.now() - startedMs).toBeLessThan(patienceMs);
  }
}

describe('An expression that takes too much is stopped', () => {
  const doubling = (start: string, step: string, times: number): string =>
    `($f := function($x, $n) { $n = 0 ? $x : $f(${step}, $n - 1) }; $f(${start}, ${times}))`;

  test.each([
    ['endless recursion', '($f := function() { 1 + $f() }; $f())'],
    ['endless tail recursion', '($f := function() { $f() }; $f())'],
    ['endless recursion in an array', '($f := function() { [$f(), $f()] }; $f())'],
    ['a range', '[1..10000000]'],
    ['nested maps', '$map([1..100000], function($x) { $map([1..100000], function($y) { $x * $y }) })'],
    ['$pad', '$pad("x", 500000000)'],
    ['$pad to the left', '$pad("x", -500000000)'],
    ['$pad through $map', '$map([500000000], function($n) { $pad("x", $n) })'],
    ['partially applied $pad', '($p := $pad("x", ?); $p(500000000))'],
    ['$join', '$join($map([1..100000], function($x) { "0123456789" }), $pad("", 1000, "-"))'],
    ['a string that doubles', `$length(${doubling('"x"', '$x & $x', 40)})`],
    ['an object that doubles', `$string(${doubling('{"a": 1}', '{"a": $x, "b": $x}', 60)})`],
    ['arrays that double', `${doubling('[1]', '[[$x], [$x]]', 60)}.**`],
    [
      'doubled objects compared',
      `(${doubling('1', '{"a": $x, "b": $x}', 40)} = ${doubling('1', '{"a": $x, "b": $x}', 40)})`,
    ],
    ['$replace with itself', '($s := $pad("", 1000000, "a"); $length($replace($s, "a", $s)))'],
    ['$reduce over $append', '$reduce([1..100000], $append)'],
    ['a path that multiplies', '[1..1000].[1..1000].[1..1000]'],
    ['the cross product of a sequence', '($a := [1..99999]; $append($a, $a))'],
    ['deep nesting', doubling('1', '{"a": $x}', 5000)],
    ['a picture for dates that backtracks', `$toMillis("${'1'.repeat(60)}x", "[Y][M][D][d][H][h][m][s][f]")`],
    ['sorting by a function', '$sort([1..100000], function($l, $r) { $l < $r })'],
  ])('%s', async (_name, source) => {
    expect(await outcome(source)).toMatchObject({ code: 'expression_limit' });
  });

  test.each([
    ['nested defaults that double in the parser', `${'('.repeat(60)}a${' ?? b)'.repeat(60)}`],
    ['the same, hidden behind a name with a quote', `a"(${'('.repeat(60)}a${' ?? b)'.repeat(60)})`],
    ['nested elvis operators', `${'('.repeat(60)}a${' ?: b)'.repeat(60)}`],
    ['brackets', `${'('.repeat(5000)}1${')'.repeat(5000)}`],
    ['signs', `${'-'.repeat(16_000)}1`],
    ['sums', `1${'+1'.repeat(8_000)}`],
    ['text', `"${'x'.repeat(20_000)}"`],
    ['a signature that backtracks', `$f(1) ~> function($a)<${'n+'.repeat(30)}:n>{ 1 }`],
    ['a regex that backtracks by nature', '$match("aa", /(a)\\1/)'],
    ['a regex that looks around', '$match("aa", /a(?=b)/)'],
    ['a regex that is too long', `$match("aa", /${'a'.repeat(2_000)}/)`],
    ['a regex that repeats repeats', '$match("aa", /((a{100}){100}){100}/)'],
  ])('before it runs: %s', async (_name, source) => {
    expect(await outcome(source)).toMatchObject({
      code: expect.stringMatching(/^expression_(syntax|limit)$/),
    });
  });
});

describe('An expression of ordinary size', () => {
  test.each<[string, JsonValue]>([
    ['$count($distinct([1..2000]))', 2_000],
    ['$sort([1..2000])[0]', 1],
    ['$sort(["b", "a", "c"])', ['a', 'b', 'c']],
    ['$sort([3, 1, 2], function($l, $r) { $l < $r })', [3, 2, 1]],
    ['$distinct([{"a": 1, "b": 2}, {"b": 2, "a": 1}, "1", 1])', [{ a: 1, b: 2 }, '1', 1]],
    ['$match(trigger.text, /(a+)+$/).match', 'a'.repeat(30)],
    ['$replace("John Smith", /(\\w+)\\s(\\w+)/, "$2, $1")', 'Smith, John'],
    ['$split("a1b22c", /[0-9]+/)', ['a', 'b', 'c']],
    ['$match("Ab ab", /AB/i).index', [0, 3]],
    ['$pad("x", 4, "-")', 'x---'],
    ['$join(["a", "b"], ", ")', 'a, b'],
    ['$map([1, 2], $string)', ['1', '2']],
    ['($add := $append(?, 3); $add([1, 2]))', [1, 2, 3]],
    ['$reduce([1..10], function($a, $b) { $a + $b })', 55],
    ['$toMillis("20260102030405", "[Y0001][M01][D01][H01][m01][s01]")', 1767323045000],
  ])('%s is evaluated', async (source, value) => {
    expect(await outcome(source)).toEqual(value);
  });

  test('with a regex that would backtrack for ever is evaluated in linear time', async () => {
    expect(await outcome('$contains(trigger.text & "b", /^(a+)+$/)')).toBe(false);
  });
});

describe('Prototypes', () => {
  test.each([
    'trigger.constructor',
    'trigger.`__proto__`',
    'trigger.list.constructor',
    '$lookup(trigger, "toString")',
    'constructor',
  ])('can not be reached by %s', async (source) => {
    expect(await outcome(source)).toMatchObject({ code: 'expression_undefined' });
  });

  test('are not changed by data', async () => {
    expect(JSON.stringify(await outcome('trigger.proto'))).toBe('{"__proto__":{"x":1},"a":2}');
    expect(JSON.stringify(await outcome('$merge([trigger.proto, {"b": 3}]).b'))).toBe('3');
    const made = await outcome('{"__proto__": {"polluted": true}, "n": $count([1, 2])}');
    expect(JSON.stringify(made)).toBe('{"__proto__":{"polluted":true},"n":2}');
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each(['{} ~> |$sum|{"implementation": 1}|', 'trigger ~> |$$|{"a": 1}|'])(
    'and functions can not be rewritten by %s',
    async (source) => {
      expect(await outcome(source)).toMatchObject({ code: 'expression_syntax' });
      expect(await outcome('$sum([1, 2])')).toBe(3);
    },
  );

  test('and functions can not be imitated by data', async () => {
    const imitation = {
      _jsonata_lambda: true,
      thunk: true,
      body: { procedure: { type: 'variable', value: 'sum' } },
    };
    const given: ExpressionScope = { ...scope, trigger: { imitation, call: { _jsonata_function: true } } };
    const run = async (source: string): Promise<unknown> =>
      resolve(compileTemplates(`{{ ${source} }}`), given);
    await expect(run('$map([1], trigger.imitation)')).rejects.toBeInstanceOf(ExpressionError);
    await expect(run('$lookup(trigger, "imitation")')).rejects.toBeInstanceOf(ExpressionError);
    await expect(run('$map([1], trigger.call)')).rejects.toBeInstanceOf(ExpressionError);
    expect(await run('trigger.imitation')).toEqual(imitation);
  });
});

describe('The scope', () => {
  test.each([
    'trigger.empty{"a": 1}',
    '[trigger.list[], 1]',
    '$append(trigger.empty, 1)',
    '$sort(trigger.list)',
  ])('is not written to by %s', async (source) => {
    const before = structuredClone(scope);
    await outcome(source);
    expect(scope).toStrictEqual(before);
    expect(Object.keys((scope.trigger as { list: object }).list)).toEqual(['0', '1']);
  });
});
