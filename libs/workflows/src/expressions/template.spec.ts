import type { JsonValue } from '../definition/json';
import { ExpressionError } from './expression-error';
import type { ExpressionScope } from './scope';
import { compileTemplates, parseTemplates, resolve } from './template';

const scope: ExpressionScope = {
  trigger: {
    body: { ref: 'refs/heads/main', count: 3, ok: true, none: null, tags: ['a', 'b'], big: { a: { b: 1 } } },
  },
  nodes: { fetch: { status: 200, rows: [{ id: 1 }, { id: 2 }] }, constructor: { own: 'data' } },
  run: { id: 'r', workflowId: 'w', workspaceId: 's', version: 4, startedAt: '2026-01-02T03:04:05.678Z' },
};

async function resolved(params: JsonValue): Promise<JsonValue> {
  return resolve(compileTemplates(params), scope);
}

async function errorOf(params: JsonValue): Promise<ExpressionError> {
  try {
    await resolve(compileTemplates(params), scope);
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error('It was expected to fail.');
}

describe('A string that is one whole expression', () => {
  test.each<[string, JsonValue]>([
    ['{{ trigger.body.count }}', 3],
    ['{{trigger.body.ok}}', true],
    ['{{ trigger.body.none }}', null],
    ['{{ trigger.body.tags }}', ['a', 'b']],
    ['{{ nodes.fetch.rows[0].id }}', 1],
    ['{{ nodes.fetch.rows[-1].id }}', 2],
    ['{{ nodes.fetch.rows.id }}', [1, 2]],
    ['{{ run.version + 1 }}', 5],
    ['{{ trigger.body.missing ?? "none" }}', 'none'],
    ['{{ trigger.body.ref = "refs/heads/main" and trigger.body.count > 2 }}', true],
    ['{{ trigger.body.ok ? "yes" : "no" }}', 'yes'],
    ['{{ nodes.constructor.own }}', 'data'],
    ['{{ $sum([1..4]) }}', 10],
    ['{{ $map([1, 2], function($x) { $x * 2 }) }}', [2, 4]],
    ['{{ nodes.fetch.rows{ $string(id): id } }}', { '1': 1, '2': 2 }],
  ])('%s gives a typed value', async (text, value) => {
    expect(await resolved({ value: text })).toEqual({ value });
  });
});

describe('The end of an expression', () => {
  test.each<[string, JsonValue]>([
    ['{{ {"a": {"b": 1}} }}', { a: { b: 1 } }],
    ['{{{"a":{"b":1}}}}', { a: { b: 1 } }],
    ['{{ "}}" }}', '}}'],
    ['{{ "a\\"}}" & "b" }}', 'a"}}b'],
    ['{{ /* }} */ 1 }}', 1],
    ['{{ $contains("a}}b", /a\\}\\}b/) }}', true],
    ['{{ $contains("a/b", /a\\/b/) }}', true],
    ['{{ $replace("a{1}}", /[{}]+/, "") }}', 'a1'],
    ['{{ trigger.body.`count` / 3 }}', 1],
    ['{{ {"`}}`": 6 / 3} }}', { '`}}`': 2 }],
    ['{{ trigger.body.count }} and {{ run.version }}', '3 and 4'],
  ])('%s is found by reading it', async (text, value) => {
    expect(await resolved([text])).toEqual([value]);
  });

  test('is found although what stands before it can not be parsed', async () => {
    expect(await errorOf(["{{ 'it''s' }}"])).toMatchObject({ code: 'expression_syntax' });
  });

  test('that never comes is an error at its beginning', async () => {
    expect(await errorOf({ a: 'x {{ "}}" ' })).toMatchObject({
      code: 'expression_syntax',
      pointer: '/a',
      position: 2,
    });
  });
});

describe('Text with expressions in it', () => {
  test.each<[string, string]>([
    ['n={{ trigger.body.count }}, {{ trigger.body.ok }}', 'n=3, true'],
    ['[{{ trigger.body.none }}]', '[]'],
    ['{{ trigger.body.tags }}!', '["a","b"]!'],
    ['o={{ {"a": 1} }}', 'o={"a":1}'],
    [' {{ trigger.body.count }}', ' 3'],
    ['\\{{ not }} {{ run.version }}', '{{ not }} 4'],
    ['\\{{ not }}', '{{ not }}'],
    ['a } b }} c { d', 'a } b }} c { d'],
    ['', ''],
  ])('%j becomes %j', async (text, value) => {
    expect(await resolved(text)).toBe(value);
  });
});

describe('Params', () => {
  test('are resolved in values and never in keys', async () => {
    expect(await resolved({ '{{ run.version }}': '{{ run.version }}' })).toEqual({ '{{ run.version }}': 4 });
  });

  test('share what has no expression in it', async () => {
    const params = { fixed: { deep: ['x'] }, value: '{{ run.version }}' };
    const result = (await resolved(params)) as { fixed: unknown };
    expect(result.fixed).toBe(params.fixed);
    expect(resolve(compileTemplates(params.fixed), scope)).toBe(params.fixed);
  });

  test('are answered at once when only fast paths are used', () => {
    const templates = compileTemplates({ a: '{{ trigger.body.count }}', b: ['v{{ run.version ?? 1 }}'] });
    expect(resolve(templates, scope)).toEqual({ a: 3, b: ['v4'] });
    expect(resolve(compileTemplates({ a: '{{ $sum([1, 2]) }}' }), scope)).toBeInstanceOf(Promise);
  });

  test('keep a member named __proto__ as data', async () => {
    const params: JsonValue = JSON.parse('{"__proto__": "{{ run.version }}", "a": {"__proto__": "\\\\{{"}}');
    const result = await resolved(params);
    expect(JSON.stringify(result)).toBe('{"__proto__":4,"a":{"__proto__":"{{"}}');
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });

  test('report all their errors, each with its pointer and position', () => {
    const { errors } = parseTemplates({
      ok: '{{ 1 }}',
      a: ['{{ 1 + }}', 'text {{ $nope() }}'],
      'b/c': '{{ }}',
    });
    expect(errors.map(({ code, pointer, position }) => ({ code, pointer, position }))).toEqual([
      { code: 'expression_syntax', pointer: '/a/0', position: 7 },
      { code: 'expression_syntax', pointer: '/a/1', position: 13 },
      { code: 'expression_syntax', pointer: '/b~1c', position: 3 },
    ]);
    expect(errors[1]?.message).toContain('There is no function or variable `$nope`');
  });
});

describe('An expression that fails', () => {
  test('because it gives nothing says so and how to give a default', async () => {
    const error = await errorOf({ to: ['x', 'Hello {{ trigger.body.nam }}'] });
    expect(error).toMatchObject({
      code: 'expression_undefined',
      pointer: '/to/1',
      expression: 'trigger.body.nam',
    });
    expect(error.message).toContain('?? ""');
  });

  test('on the values it meets says where', async () => {
    const error = await errorOf({ a: '{{ trigger.body.ref + 1 }}' });
    expect(error).toMatchObject({ code: 'expression_failed', pointer: '/a' });
    expect(typeof error.position).toBe('number');
  });

  test('is the first one in the document, and a second failure goes unheard', async () => {
    const error = await errorOf({
      a: '{{ $sum(trigger.body.ref) }}',
      b: '{{ trigger.nothing }}',
      c: '{{ $sum("x") }}',
    });
    expect(error.pointer).toBe('/a');
  });

  test.each(['{{ $sum }}', '{{ function($x) { $x } }}', '{{ /re/ }}', '{{ {"f": $sum} }}', '{{ [$sum] }}'])(
    'because it gives a function: %s',
    async (text) => {
      expect(await errorOf(text)).toMatchObject({ code: 'expression_failed' });
    },
  );

  test.each(['{{ 1 / 0 }}', '{{ [0 / 0] }}', '{{ {"n": -1 / 0} }}'])(
    'because JSON has no such number: %s',
    async (text) => {
      expect(await errorOf(text)).toMatchObject({ code: 'expression_failed' });
    },
  );
});

describe('Time and chance', () => {
  test('are those of the run, so that a repeated node computes the same', async () => {
    const params = {
      now: '{{ $now() }}',
      day: '{{ $now("[Y0001]/[M01]/[D01]") }}',
      millis: '{{ $millis() }}',
    };
    const millis = Date.parse(scope.run.startedAt);
    expect(await resolved(params)).toEqual({ now: '2026-01-02T03:04:05.678Z', day: '2026/01/02', millis });
  });

  test('fill in what a picture leaves out', async () => {
    expect(await resolved('{{ $fromMillis($toMillis("10:30", "[H01]:[m01]")) }}')).toBe(
      '2026-01-02T10:30:00.000Z',
    );
  });

  test.each(['$random()', '$shuffle([1, 2])', '$eval("1")', '[1]~>$shuffle', '($r := $random; $r())'])(
    'leave no room for %s',
    async (source) => {
      expect(await errorOf(`{{ ${source} }}`)).toMatchObject({ code: 'expression_syntax' });
    },
  );
});

describe('Literal params', () => {
  const params = { code: 'return {{a: 1}}', input: { code: '{{ run.id }}' }, 'a/b': '{{' };

  test('are taken as they are written, at the top alone', () => {
    const templates = compileTemplates(params, ['code', 'a/b']);
    expect(resolve(templates, scope)).toEqual({ ...params, input: { code: 'r' } });
    expect(templates.expressions.map(({ place }) => place.pointer)).toEqual(['/input/code']);
  });

  test('keep what elsewhere is an escape', () => {
    expect(resolve(compileTemplates({ code: String.raw`\{{` }, ['code']), scope)).toEqual({
      code: String.raw`\{{`,
    });
  });

  test('are none unless they are named', () => {
    expect(parseTemplates(params).errors).toHaveLength(2);
  });
});
