import type { JsonObject, JsonValue } from '../definition/json';
import { checkSchema, validateValue } from './payload-schema';

// Schemas come from customers. None of these may run code, take long, or end the process. What would take long here takes
// for ever without its limit (years, or all the memory), so that a test that ends has passed.

const tooMuch = [{ pointer: '', message: expect.stringContaining('too much work') }];

function parsed(json: string): JsonValue {
  return JSON.parse(json) as JsonValue;
}

/** A value inside `levels` of something. */
function nested(levels: number, wrap: (inner: JsonValue) => JsonValue, core: JsonValue = {}): JsonValue {
  return Array.from({ length: levels }).reduce<JsonValue>((inner) => wrap(inner), core);
}

describe('Names and texts of a schema', () => {
  const names = [
    '"',
    "'",
    '\\',
    '`',
    '${globalThis.pwned=1}',
    '\n',
    '\r',
    '\u2028',
    '\0',
    '"];globalThis.pwned=1;//',
    "']);globalThis.pwned=1;//",
    '*/globalThis.pwned=1/*',
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '',
    '/',
    '~',
    '%',
    '#',
  ];

  test.each(names)('%j are data, whatever they look like', (name) => {
    const member = (value: JsonValue) => parsed(`{${JSON.stringify(name)}: ${JSON.stringify(value)}}`);
    const schema: JsonObject = {
      title: name,
      description: name,
      $comment: name,
      properties: member({ type: 'number' }),
      required: [name],
      dependentRequired: member([name]),
      dependentSchemas: member({ minProperties: 1 }),
      propertyNames: { enum: [name] },
      $defs: member({ const: name }),
      examples: [name],
      default: name,
    };
    expect(checkSchema(schema)).toEqual([]);
    expect(validateValue(schema, member(1))).toEqual([]);
    expect(validateValue(schema, member('x'))).toHaveLength(1);
    expect(validateValue(schema, {})).toMatchObject([{ message: 'This is required, and missing.' }]);
    expect(validateValue({ enum: [name], const: name }, name)).toEqual([]);
    expect(globalThis).not.toHaveProperty('pwned');
    expect({}).not.toHaveProperty('type');
  });

  test('of a type or a format that JavaScript has in every object are none', () => {
    for (const word of ['constructor', '__proto__', 'toString']) {
      expect(checkSchema({ type: word })).toHaveLength(1);
      expect(checkSchema({ format: word })).toHaveLength(1);
      expect(checkSchema({ $ref: `#/${word}` })).toHaveLength(1);
    }
  });

  test('give no schema an identity, and lead nowhere outside', () => {
    expect(checkSchema({ $id: 'http://example.com/', $ref: '#' })).not.toEqual([]);
    expect(checkSchema({ properties: { a: { $id: 'a' }, b: { $ref: 'a' } } })).toHaveLength(2);
    for (const $ref of ['http://169.254.169.254/', '//x', 'a.json', '../a', 'data:,{}', '']) {
      expect(checkSchema({ $ref })).toHaveLength(1);
    }
  });
});

describe('Patterns', () => {
  test.each([
    ['(a+)+$', 'a'],
    ['^(a|a)*$', 'a'],
    ['^(a|aa)+$', 'a'],
    ['(.*a){20}$', 'a'],
    [
      '^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$',
      'a',
    ],
    ['^(\\d+)*x$', '1'],
    ['^(\\s*\\S+\\s*)+!$', 'a '],
    ['(x+x+)+y', 'x'],
    ['^((ab)*)+$', 'ab'],
    ['(a?){50}a{50}$', 'a'],
  ])('%s end on what makes others run for ever', (pattern, piece) => {
    const text = `${piece.repeat(5_000)}\u0001`;
    for (const schema of [
      { pattern },
      { propertyNames: { pattern } },
      { patternProperties: { [pattern]: false } },
    ]) {
      expect(checkSchema(schema)).toEqual([]);
      // Refused or too much, as the pattern wants; that there is an answer is the point.
      expect(Array.isArray(validateValue(schema, 'pattern' in schema ? text : { [text]: 1 }))).toBe(true);
    }
    expect(validateValue({ pattern }, text)).not.toEqual([]);
  });

  test('that are small and become large are refused, alone or together', () => {
    expect(checkSchema({ pattern: '\\p{L}{1000}{1000}' })).not.toEqual([]);
    const many = Array.from({ length: 3_000 }, () => ({ pattern: '.{1000}' }));
    expect(checkSchema({ allOf: many.slice(0, 1_900) })).toMatchObject([
      {
        pointer: expect.stringMatching(/^\/allOf\/\d+\/pattern$/),
        message: expect.stringContaining('too complex'),
      },
    ]);
  });

  test('on many long texts come to an end', () => {
    const texts = Array.from({ length: 1_000 }, () => 'a'.repeat(10_000));
    expect(validateValue({ items: { pattern: '(a|b|c|d)*e' } }, texts)).toEqual(tooMuch);
  });
});

describe('Bombs', () => {
  /** Each name asks the next one twice: 2^n questions in n lines. */
  const doubling = (keyword: 'allOf' | 'anyOf' | 'oneOf', names: number): JsonValue => ({
    $ref: '#/$defs/n0',
    $defs: Object.fromEntries(
      Array.from({ length: names }, (_, i): [string, JsonValue] => {
        const next: JsonValue = i + 1 === names ? { type: 'string' } : { $ref: `#/$defs/n${i + 1}` };
        return [`n${i}`, { [keyword]: [next, next] }];
      }),
    ),
  });

  // Seen to run until it was killed without the count of steps.
  test.each([
    ['allOf', 'x'],
    ['anyOf', 1],
    ['oneOf', 'x'],
  ] as const)('of %s and references come to an end', (keyword, value) => {
    const schema = doubling(keyword, 60);
    expect(checkSchema(schema)).toEqual([]);
    expect(validateValue(schema, value)).toEqual(tooMuch);
    // The control: what stops it is the work, not the kind of schema.
    expect(validateValue(doubling(keyword, 4), value)).not.toEqual(tooMuch);
  });

  test('that go deeper with the value come to an end', () => {
    const twice: JsonValue = { properties: { a: { $ref: '#' } } };
    const schema: JsonValue = { anyOf: [twice, twice, { const: 1 }], type: 'object' };
    expect(
      validateValue(
        schema,
        nested(60, (a) => ({ a }), { a: 'x' }),
      ),
    ).toEqual(tooMuch);
  });

  test('of arrays that must be unique come to an end, and large ones are told apart', () => {
    const objects = Array.from({ length: 20_000 }, (_, i) => ({ i, name: 'n' }));
    expect(validateValue({ uniqueItems: true }, objects)).toEqual([]);
    expect(validateValue({ uniqueItems: true }, [...objects, { name: 'n', i: 7 }])).toHaveLength(1);
    const again = Array.from({ length: 500 }, () => ({ uniqueItems: true }));
    expect(validateValue({ allOf: again }, objects)).toEqual(tooMuch);
  });

  test('of large objects that are listed again and again come to an end', () => {
    const value = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i]));
    for (const rule of [{ minProperties: 1 }, { additionalProperties: true }, { propertyNames: true }]) {
      expect(validateValue(rule, value)).toEqual([]);
      expect(validateValue({ allOf: Array.from({ length: 900 }, () => rule) }, value)).toEqual(tooMuch);
    }
  });

  test('of enums are asked in one step each', () => {
    const values = Array.from({ length: 5_000 }, (_, i) => `v${i}`);
    const items = Array.from({ length: 30_000 }, (_, i) => `v${i % 5_000}`);
    expect(validateValue({ items: { enum: values } }, items)).toEqual([]);
    expect(validateValue({ items: { enum: values } }, [...items, 'other'])).toHaveLength(1);
  });

  test('of depth are refused, in schemas as a whole and where one leads to the next', () => {
    expect(checkSchema(nested(10_000, (not) => ({ not })))).toMatchObject([{ pointer: '' }]);
    expect(checkSchema(nested(10_000, (inner) => [inner]))).toMatchObject([{ pointer: '' }]);
    expect(checkSchema(nested(63, (not) => ({ not })))).toEqual([]);
    const chain: JsonValue = {
      allOf: [{ $ref: '#/$defs/n0' }],
      $defs: Object.fromEntries(
        Array.from({ length: 950 }, (_, i) => [
          `n${i}`,
          i === 949 ? {} : { allOf: [{ $ref: `#/$defs/n${i + 1}` }] },
        ]),
      ),
    };
    expect(checkSchema(chain)).toEqual([]);
    expect(validateValue(chain, 1)).toEqual(tooMuch);
    expect(
      validateValue(
        { items: { $ref: '#' } },
        nested(5_000, (inner) => [inner]),
      ),
    ).toEqual(tooMuch);
  });

  test('of size are refused', () => {
    expect(checkSchema({ description: 'x'.repeat(70_000) })).toMatchObject([{ pointer: '' }]);
    expect(checkSchema({ prefixItems: Array.from({ length: 2_100 }, () => true) })).toMatchObject([
      { message: expect.stringContaining('one schema too many') },
    ]);
  });
});
