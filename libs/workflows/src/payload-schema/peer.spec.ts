import { Ajv2020 } from 'ajv/dist/2020';
import fc from 'fast-check';
import type { JsonValue } from '../definition/json';
import { checkSchema, validateValue } from './payload-schema';

// Another validator must come to the same verdict on any schema and any value. Names, numbers and texts are few, so that
// schemas and values meet.

// Not `__proto__`: the other one takes the prototype of every object for a member. Ours is tested in attacks.spec.
const name: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'a_b');
const scalar = fc.constantFrom<JsonValue>(null, true, false, 0, 1, 2, 1.5, -3, '', 'a', 'ab', 'b1', '😀');

function objectOf(
  value: fc.Arbitrary<JsonValue>,
  key = name,
): fc.Arbitrary<{ readonly [key: string]: JsonValue }> {
  return fc
    .uniqueArray(fc.tuple(key, value), { selector: ([given]) => given, maxLength: 4 })
    .map((entries) => Object.fromEntries(entries));
}

const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    objectOf(tie('value')),
  ),
}));

const count = fc.nat({ max: 3 });
const names = fc.uniqueArray(name, { maxLength: 3 });

const { schema } = fc.letrec<{ schema: JsonValue }>((tie) => {
  const sub = tie('schema');
  const subs = fc.array(sub, { minLength: 1, maxLength: 3 });
  const keywords: Record<string, fc.Arbitrary<JsonValue>> = {
    type: fc.constantFrom('null', 'boolean', 'number', 'integer', 'string', 'array', 'object'),
    enum: fc.uniqueArray(value, { minLength: 1, maxLength: 3, selector: (each) => JSON.stringify(each) }),
    const: value,
    multipleOf: fc.constantFrom(1, 2, 0.5),
    maximum: count,
    exclusiveMaximum: count,
    minimum: count,
    exclusiveMinimum: count,
    maxLength: count,
    minLength: count,
    pattern: fc.constantFrom('^a', 'b$', '[0-9]', '.'),
    maxItems: count,
    minItems: count,
    uniqueItems: fc.boolean(),
    maxProperties: count,
    minProperties: count,
    required: names,
    dependentRequired: objectOf(names),
    properties: objectOf(sub),
    patternProperties: objectOf(sub, fc.constantFrom('^a', 'b', '_')),
    additionalProperties: sub,
    propertyNames: sub,
    prefixItems: subs,
    items: sub,
    contains: sub,
    dependentSchemas: objectOf(sub),
    allOf: subs,
    anyOf: subs,
    oneOf: subs,
    not: sub,
    $ref: fc.constantFrom('#/$defs/one', '#/$defs/two'),
  };
  const some = fc.record(keywords, { requiredKeys: [] });
  return {
    schema: fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      { arbitrary: fc.boolean(), weight: 1 },
      {
        arbitrary: fc
          .tuple(some, fc.subarray(Object.keys(keywords), { maxLength: 4 }))
          .map(([all, kept]): JsonValue => {
            const members = Object.entries(all).flatMap(([key, member]) =>
              member !== undefined && kept.includes(key) ? [[key, member] as const] : [],
            );
            return Object.fromEntries(members);
          }),
        weight: 6,
      },
    ),
  };
});

const document = fc
  .record({
    root: schema,
    one: fc.constantFrom<JsonValue>({ type: 'number' }, false),
    two: fc.constant({ minLength: 1 }),
  })
  .map(({ root, one, two }): JsonValue => ({ allOf: [root], $defs: { one, two } }));

test('The verdict on a value is that of another validator', () => {
  const seen = { fits: 0, not: 0 };
  fc.assert(
    fc.property(document, fc.array(value, { minLength: 5, maxLength: 10 }), (given, values) => {
      expect(checkSchema(given)).toEqual([]);
      const theirs = new Ajv2020({ strict: false, logger: false }).compile(given as object);
      for (const each of values) {
        const fits = validateValue(given, each).length === 0;
        expect({ given, each, fits }).toEqual({ given, each, fits: theirs(each) });
        seen[fits ? 'fits' : 'not'] += 1;
      }
    }),
    { numRuns: 120 },
  );
  // The control: both verdicts were given often, so that the agreement means something.
  expect(Math.min(seen.fits, seen.not)).toBeGreaterThan(60);
});
