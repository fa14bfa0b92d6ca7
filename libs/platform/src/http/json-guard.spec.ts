import fc from 'fast-check';
import { checkJson, MAX_JSON_DEPTH, readJson } from './json-guard';

const read = (text: string) => readJson(Buffer.from(text));
const problemOf = (text: string) => {
  const reading = read(text);
  return 'problem' in reading ? `${reading.problem.code} ${reading.problem.pointer}`.trimEnd() : 'fine';
};

describe('readJson', () => {
  it.each([
    ['{"a":"\\u0000"}', 'nul /a'],
    ['{"a":[1,{"b\\u0000":2}]}', 'nul /a/1/b\0'],
    ['"\\ud800"', 'surrogate'],
    ['{"x":["\\udc00\\ud800"]}', 'surrogate /x/0'],
    ['{"a/b":{"~":"\\ud83d"}}', 'surrogate /a~1b/~0'],
    ['{"__proto__":{"admin":true}}', 'prototype_key /__proto__'],
    ['{"\\u005f_proto__":1}', 'prototype_key /__proto__'],
    ['{"a":{"constructor":{"prototype":{}}}}', 'prototype_key /a/constructor'],
    ['{"n":1e400}', 'number_range /n'],
    ['{"n":-1E+0999}', 'number_range /n'],
    [`[${'9'.repeat(400)}]`, 'number_range /0'],
    [`[${'9'.repeat(250)}e99]`, 'number_range /0'],
    ['{"a":', 'syntax'],
    ['', 'syntax'],
    ['\0', 'syntax'],
    ['[1,]', 'syntax'],
    ['NaN', 'syntax'],
  ])('refuses %s', (text, expected) => {
    expect(problemOf(text)).toBe(expected);
  });

  it.each([
    ['{"a":"\\ud83d\\ude00"}', { a: '😀' }],
    ['{"constructor":"Ford"}', { constructor: 'Ford' }],
    ['{"text":"1e400 [[[ \\" __proto__"}', { text: '1e400 [[[ " __proto__' }],
    ['\ufeff[1.5e3]', [1500]],
    ['{"a":1,"a":2}', { a: 2 }],
    ['"\\\\"', '\\'],
    ['9007199254740993', 9007199254740992],
  ])('lets %s through', (text, value) => {
    expect(read(text)).toEqual({ value });
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(readJson(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ problem: { code: 'encoding' } });
  });

  it('takes the deepest allowed nesting and refuses one level more, whatever closes it', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(problemOf(nested(MAX_JSON_DEPTH))).toBe('fine');
    expect(problemOf(nested(MAX_JSON_DEPTH + 1))).toBe('depth');
    expect(problemOf('['.repeat(1_000_000))).toBe('depth');
    expect(problemOf(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).toBe('depth');
  });

  it('reads what JSON.stringify writes of any harmless value', () => {
    const harmless = fc.jsonValue().filter((value) => checkJson(value) === null);
    fc.assert(
      fc.property(harmless, (value) => {
        const text = JSON.stringify(value);
        // Not `value` itself: JSON has no -0.
        expect(read(text)).toEqual({ value: JSON.parse(text) });
      }),
    );
  });

  it('never lets through what a walk over the value would refuse: the glance before it misses nothing', () => {
    const unit = fc.constantFrom(
      '\\u0000',
      '\\ud800',
      '\\u005f',
      '__proto__',
      'constructor',
      'x',
      '\\\\',
      '\\"',
    );
    const text = fc.array(unit, { maxLength: 6 }).map((units) => `"${units.join('')}"`);
    const { json } = fc.letrec<{ json: string }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.constantFrom('1', '1e999', '-2.5E3', `1${'0'.repeat(310)}`, 'true', 'null'),
        fc.array(tie('json'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
        fc
          .array(fc.tuple(text, tie('json')), { maxLength: 3 })
          .map((members) => `{${members.map((m) => m.join(':')).join(',')}}`),
      ),
    }));
    fc.assert(
      fc.property(json, (document) => {
        const walked = checkJson(JSON.parse(document));
        expect(problemOf(document) === 'fine').toBe(walked === null);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('checkJson', () => {
  it('ends on a cycle', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(checkJson(cycle)).toMatchObject({ code: 'depth' });
  });
});
