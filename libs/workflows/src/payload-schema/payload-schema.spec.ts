import type { JsonValue } from '../definition/json';
import { checkSchema, validateValue } from './payload-schema';

function fits(schema: JsonValue, value: JsonValue): boolean {
  expect(checkSchema(schema)).toEqual([]);
  return validateValue(schema, value).length === 0;
}

/** A schema, values that fit it, and values that do not. */
type Case = readonly [schema: JsonValue, good: readonly JsonValue[], bad: readonly JsonValue[]];

const proto = JSON.parse('{"__proto__": {"a": 1}}') as JsonValue;

const cases: Readonly<Record<string, readonly Case[]>> = {
  'true, false and {}': [
    [true, [1, null], []],
    [false, [], [1, null]],
    [{}, [1, 'x', proto], []],
  ],
  type: [
    [{ type: 'string' }, [''], [1, null, [], {}]],
    [{ type: 'integer' }, [1, 1.0, -0, 1e300], [1.5, '1', null]],
    [{ type: 'number' }, [1, 1.5], ['1']],
    [{ type: 'null' }, [null], [0, false, '']],
    [{ type: 'object' }, [{}], [[], null]],
    [{ type: 'array' }, [[]], [{}]],
    [{ type: ['boolean', 'null'] }, [true, null], [0]],
  ],
  'enum and const': [
    [
      { enum: [1, 'a', { b: [1], c: 2 }] },
      [1, 'a', { c: 2, b: [1] }],
      ['1', 2, { b: [1] }, { b: [1], c: '2' }],
    ],
    [{ const: null }, [null], [0, false]],
    [{ const: 0 }, [0, -0], [false, '0', '']],
    [{ const: proto }, [proto], [{}]],
  ],
  'limits of numbers': [
    [{ minimum: 1, maximum: 2 }, [1, 2, 'x'], [0.99, 2.01]],
    [{ exclusiveMinimum: 1, exclusiveMaximum: 2 }, [1.5], [1, 2]],
    [{ multipleOf: 0.1 }, [0.3, 1.1, 0, -0.7, 1e20], [0.25]],
    [{ multipleOf: 1e-8 }, [0.00000003], [0.000000035]],
  ],
  'limits of texts': [
    [{ minLength: 2, maxLength: 3 }, ['ab', '😀😀😀', 1], ['a', '😀', 'abcd']],
    [{ pattern: '^a+$' }, ['aa', 1], ['', 'ba']],
    [{ pattern: 'b' }, ['abc'], ['ac']],
    [{ pattern: '^\\p{L}+$' }, ['né'], ['n1']],
  ],
  format: [
    [{ format: 'date' }, ['2024-02-29', 1], ['2023-02-29', '24-1-1', 'x'.repeat(3_000)]],
    [
      { format: 'date-time' },
      ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00.5+02:00'],
      ['2024-02-29', '2024-02-29T12:00:00'],
    ],
    [{ format: 'email' }, ['a@example.com'], ['a', 'A <a@example.com>']],
    [{ format: 'uuid' }, ['0197a000-0000-7000-8000-000000000001'], ['0197a000']],
    [{ format: 'ipv4' }, ['1.2.3.4'], ['1.2.3.256']],
    [{ format: 'ipv6' }, ['::1'], ['::g']],
    [{ format: 'uri' }, ['https://example.com/a'], ['/a']],
    [{ format: 'hostname' }, ['example.com'], ['a b']],
    [{ format: 'time' }, ['12:00:00'], ['25:00:00']],
  ],
  arrays: [
    [{ minItems: 1, maxItems: 2 }, [[1], [1, 2], {}], [[], [1, 2, 3]]],
    [
      { uniqueItems: true },
      [
        [1, '1', [1], { a: 1 }],
        [null, 0, false],
      ],
      [
        [1, 1.0],
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      ],
    ],
    [{ items: { type: 'number' } }, [[], [1]], [[1, 'x']]],
    [{ prefixItems: [{ type: 'string' }], items: false }, [[], ['x']], [[1], ['x', 1]]],
    [{ contains: { const: 1 } }, [[2, 1]], [[], [2]]],
    [{ contains: { const: 1 }, minContains: 0, maxContains: 1 }, [[], [1]], [[1, 1]]],
  ],
  objects: [
    [{ required: ['a', 'toString'] }, [{ a: 1, toString: 1 }, 1], [{ a: 1 }, {}]],
    [{ required: ['__proto__'] }, [proto], [{}]],
    [{ minProperties: 1, maxProperties: 2 }, [{ a: 1 }], [{}, { a: 1, b: 1, c: 1 }]],
    [{ properties: { a: { type: 'number' }, b: false } }, [{ a: 1 }, { c: 1 }], [{ a: 'x' }, { b: 1 }]],
    [JSON.parse('{"properties": {"__proto__": {"type": "number"}}}') as JsonValue, [{}], [proto]],
    [
      {
        properties: { a: {} },
        patternProperties: { '^x-': { type: 'number' } },
        additionalProperties: false,
      },
      [{ a: 'x', 'x-1': 1 }],
      [{ b: 1 }, { 'x-1': 'x' }, proto],
    ],
    [{ additionalProperties: { type: 'number' } }, [{ a: 1 }], [{ a: 'x' }]],
    [{ propertyNames: { maxLength: 2 } }, [{ ab: 1 }], [{ abc: 1 }]],
    [{ dependentRequired: { a: ['b'] } }, [{}, { b: 1 }, { a: 1, b: 1 }], [{ a: 1 }]],
    [{ dependentSchemas: { a: { required: ['b'] } } }, [{}, { a: 1, b: 1 }], [{ a: 1 }]],
  ],
  combinations: [
    [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1], [0, 3]],
    [{ anyOf: [{ type: 'string' }, { minimum: 1 }] }, ['x', 1], [0]],
    [{ oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] }, [2, 3], [1, 6]],
    [{ not: { type: 'string' } }, [1], ['x']],
    // oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
    [{ if: { minimum: 10 }, then: { multipleOf: 10 }, else: { multipleOf: 2 } }, [20, 4], [11, 3]],
  ],
  references: [
    [{ $ref: '#/$defs/n', $defs: { n: { type: 'number' } } }, [1], ['x']],
    [{ $ref: '#/$defs/n', minimum: 2, $defs: { n: { type: 'number' } } }, [2], [1]],
    [{ properties: { a: { type: 'number' }, b: { $ref: '#/properties/a' } } }, [{ b: 1 }], [{ b: 'x' }]],
    [{ $ref: '#/$defs/a~1b%20c~0', $defs: { 'a/b c~': { type: 'number' } } }, [1], ['x']],
    [
      { type: 'object', properties: { next: { $ref: '#' } }, additionalProperties: false },
      [{ next: { next: {} } }],
      [{ next: { next: { other: 1 } } }],
    ],
  ],
  annotations: [
    [
      {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        $comment: 'c',
        title: 't',
        description: 'd',
        default: 1,
        examples: [1],
        deprecated: true,
        readOnly: true,
        writeOnly: false,
      },
      [1],
      [],
    ],
  ],
};

describe('A value', () => {
  describe.each(Object.entries(cases))('by %s', (_, list) => {
    test.each(list)('%j', (schema, good, bad) => {
      for (const value of good) expect({ value, fits: fits(schema, value) }).toEqual({ value, fits: true });
      for (const value of bad) expect({ value, fits: fits(schema, value) }).toEqual({ value, fits: false });
    });
  });

  test('that does not fit says everything, where and in words', () => {
    const schema = {
      type: 'object',
      required: ['id', 'a/b'],
      properties: { tags: { items: { type: 'string', maxLength: 3 } }, n: { minimum: 5 } },
      additionalProperties: false,
    };
    expect(validateValue(schema, { tags: ['ok', 1, 'long'], n: 4, more: true, 'a/b': 1 })).toEqual([
      { pointer: '/id', message: 'This is required, and missing.' },
      { pointer: '/tags/1', message: 'This must be of the type string, got the number 1.' },
      { pointer: '/tags/2', message: 'This must have at most 3 characters, got 4.' },
      { pointer: '/n', message: 'This must be at least 5, got 4.' },
      { pointer: '/more', message: 'This is not allowed here.' },
      { pointer: '/a~1b', message: 'This is not allowed here.' },
    ]);
  });

  test('has at most 20 faults reported, and alternatives none of their own', () => {
    const many = Array.from({ length: 100 }, () => 'x');
    expect(validateValue({ items: { type: 'number' } }, many)).toHaveLength(20);
    expect(validateValue({ anyOf: [{ type: 'number' }, { required: ['a'] }] }, {})).toEqual([
      { pointer: '', message: 'This must fit one of the 2 alternatives, and fits none.' },
    ]);
  });

  test('never fits a schema that is not right', () => {
    expect(validateValue({ type: 'text' }, 'x')).toMatchObject([{ pointer: '' }]);
  });

  test('is checked by its own schema, however many others were used', () => {
    for (let n = 0; n < 200; n += 1) expect(validateValue({ const: n }, n)).toEqual([]);
    expect(validateValue({ const: 0 }, 1)).toHaveLength(1);
  });
});

describe('A schema', () => {
  test.each<[JsonValue, string]>([
    ['x', ''],
    [null, ''],
    [[], ''],
    [{ type: 'text' }, '/type'],
    [{ type: [] }, '/type'],
    [{ enum: [] }, '/enum'],
    [{ minimum: '1' }, '/minimum'],
    [{ multipleOf: 0 }, '/multipleOf'],
    [{ minLength: -1 }, '/minLength'],
    [{ maxItems: 1.5 }, '/maxItems'],
    [{ required: 'a' }, '/required'],
    [{ required: [1] }, '/required'],
    [{ properties: [] }, '/properties'],
    [{ properties: { 'a/b': 1 } }, '/properties/a~1b'],
    [{ items: [{}] }, '/items'],
    [{ allOf: [] }, '/allOf'],
    [{ anyOf: [1] }, '/anyOf/0'],
    [{ not: null }, '/not'],
    [{ $defs: { a: { b: 1 } } }, '/$defs/a/b'],
    [{ format: 'colour' }, '/format'],
    [{ pattern: '(' }, '/pattern'],
    [{ pattern: '(?=a)' }, '/pattern'],
    [{ pattern: '(a)\\1' }, '/pattern'],
    [{ pattern: 'a'.repeat(1_001) }, '/pattern'],
    [{ patternProperties: { '(': {} } }, '/patternProperties/('],
    [{ $schema: 'http://json-schema.org/draft-07/schema#' }, '/$schema'],
    [
      { properties: { a: { $schema: 'https://json-schema.org/draft/2020-12/schema' } } },
      '/properties/a/$schema',
    ],
    [{ $ref: '#/$defs/none' }, '/$ref'],
    [{ $ref: '#anchor' }, '/$ref'],
    [{ $ref: '#/%' }, '/$ref'],
    [{ $ref: 'https://example.com/schema' }, '/$ref'],
    [{ $ref: 'file:///etc/passwd' }, '/$ref'],
    [{ $ref: '#/default', default: { type: 'string' } }, '/$ref'],
    [{ $ref: '#/constructor' }, '/$ref'],
  ])('%j is refused, at its place', (schema, pointer) => {
    expect(checkSchema(schema).map((problem) => problem.pointer)).toEqual([pointer]);
  });

  test.each([
    ['$id', 'local'],
    ['$anchor', '#/$defs/name'],
    ['$dynamicRef', '$ref'],
    ['definitions', '$defs'],
    ['dependencies', 'dependentRequired'],
    ['unevaluatedProperties', 'additionalProperties'],
    ['nullable', 'null'],
    ['reqired', 'name'],
    ['__proto__', 'name'],
    ['constructor', 'name'],
    ['toString', 'name'],
  ])('with %s is told what to write instead', (key, hint) => {
    const problems = checkSchema(JSON.parse(`{"properties": {"a": {${JSON.stringify(key)}: {}}}}`));
    expect(problems).toEqual([
      { pointer: `/properties/a/${key}`, message: expect.stringContaining('There is no keyword') },
    ]);
    expect(problems[0]?.message).toContain(hint);
  });

  test.each<[JsonValue]>([
    [{ $ref: '#' }],
    [{ allOf: [{ $ref: '#' }] }],
    [
      {
        $ref: '#/$defs/a',
        $defs: { a: { anyOf: [{ not: { $ref: '#/$defs/b' } }] }, b: { $ref: '#/$defs/a' } },
      },
    ],
    // oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
    [{ if: { then: { $ref: '#' }, if: true } }],
    [{ dependentSchemas: { a: { $ref: '#' } } }],
  ])('%j goes round in a circle and is refused', (schema) => {
    expect(checkSchema(schema)).toMatchObject([{ message: expect.stringContaining('refers to itself') }]);
  });
});
