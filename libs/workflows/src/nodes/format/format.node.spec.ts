import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../definition/json';
import { anExecution } from '../node-kind.contract';
import type { NodeOutcome } from '../node-kind';
import { formatNode } from './format.node';

type Step = JsonObject & { readonly op: string };

function format(input: JsonValue, ...steps: readonly Step[]): NodeOutcome {
  return formatNode.execute(anExecution(formatNode.params.parse({ input, steps }))) as NodeOutcome;
}

/** The value, or the code of the failure. */
function valueOf(input: JsonValue, ...steps: readonly Step[]): JsonValue {
  const outcome = format(input, ...steps);
  if (outcome.kind === 'done') return outcome.output;
  return outcome.kind === 'failed' ? outcome.error.code : outcome.kind;
}

type Case = readonly [step: Step, input: JsonValue, output: JsonValue];

const family = '👨‍👩‍👧';
const at = '2024-02-29T12:34:56.789Z';
const [type, value, missing, range, tooLarge] = ['type', 'value', 'missing', 'range', 'too_large'].map(
  (code) => `node.format_${code}`,
) as [string, string, string, string, string];
const proto = JSON.parse('{"__proto__":{"a":1},"b":2}') as JsonValue;

const cases: Readonly<Record<string, readonly Case[]>> = {
  text: [
    [{ op: 'text.trim' }, ' \n a b\t', 'a b'],
    [{ op: 'text.trim', side: 'start' }, ' a ', 'a '],
    [{ op: 'text.trim', side: 'end' }, ' a ', ' a'],
    [{ op: 'text.lower' }, 'ÄB', 'äb'],
    [{ op: 'text.upper' }, 'äß', 'ÄSS'],
    [{ op: 'text.title' }, "john o'neil-SMITH éva", "John O'neil-Smith Éva"],
    [{ op: 'text.slug' }, '  Crème Brûlée & Café! ', 'creme-brulee-cafe'],
    [{ op: 'text.slug', separator: '_' }, 'a b', 'a_b'],
    [{ op: 'text.slug' }, '???', ''],
    [{ op: 'text.replace', search: '.', with: '$&' }, 'a.b.c', 'a$&b$&c'],
    [{ op: 'text.replace', search: 'aa', with: 'a' }, 'aaaaa', 'aaa'],
    [{ op: 'text.replace', search: 'a', with: 'b', all: false }, 'aa', 'ba'],
    [{ op: 'text.replace', search: 'x' }, 'axbx', 'ab'],
    [{ op: 'text.replacePattern', pattern: '\\d+', with: '$1' }, 'a1b22', 'a$1b$1'],
    [{ op: 'text.replacePattern', pattern: '\\d', with: '#', all: false }, 'a12', 'a#2'],
    [{ op: 'text.replacePattern', pattern: 'x*', with: '-' }, 'ab', '-a-b-'],
    [{ op: 'text.match', pattern: '(\\w+)@(\\w+)', group: 2 }, 'to ada@home now', 'home'],
    [{ op: 'text.match', pattern: '(a)|(b)', group: 2 }, 'a', null],
    [{ op: 'text.match', pattern: 'x' }, 'a', null],
    [{ op: 'text.split', separator: ', ' }, 'a, b, ', ['a', 'b', '']],
    [{ op: 'text.split', separator: '' }, 'a😀b', ['a', '😀', 'b']],
    [{ op: 'text.join', separator: '-' }, ['a', 1, ''], 'a-1-'],
    [{ op: 'text.join' }, [], ''],
    [{ op: 'text.join' }, [null], type],
    [{ op: 'text.substring', start: 1, end: 3 }, 'a😀b😀', '😀b'],
    [{ op: 'text.substring', start: -2 }, 'a😀b', '😀b'],
    [{ op: 'text.substring', start: 2, end: 1 }, 'a😀b', ''],
    [{ op: 'text.substring', start: 1, end: -1 }, 'abcd', 'bc'],
    [{ op: 'text.pad', length: 3, with: '0' }, '7', '007'],
    [{ op: 'text.pad', length: 4, with: '😀-', side: 'end' }, 'a', 'a😀-😀'],
    [{ op: 'text.pad', length: 1 }, 'abc', 'abc'],
    [{ op: 'text.length' }, `a${family}`, 6],
    [{ op: 'text.truncate', length: 3 }, 'abcd', 'ab…'],
    [{ op: 'text.truncate', length: 4 }, 'abcd', 'abcd'],
    [{ op: 'text.truncate', length: 2, ending: '...' }, 'abcd', '..'],
    [{ op: 'text.truncate', length: 2 }, '😀😀😀', '😀…'],
    [{ op: 'text.trim' }, 1, type],
    [{ op: 'text.trim' }, null, type],
  ],
  number: [
    [{ op: 'number.parse' }, ' -12.50 ', -12.5],
    [{ op: 'number.parse' }, 7, 7],
    [{ op: 'number.parse' }, '1e3', 1000],
    [{ op: 'number.parse', decimal: ',', thousands: '.' }, '1.234.567,8', 1234567.8],
    [{ op: 'number.parse', thousands: ',' }, '12,34,567', 1234567],
    [{ op: 'number.parse', thousands: ' ' }, '1\u00a0234\u202f567', 1234567],
    [{ op: 'number.parse', thousands: "'" }, "1'000", 1000],
    [{ op: 'number.parse', decimal: ',', thousands: '.' }, '1.23', value],
    [{ op: 'number.parse' }, '1,234', value],
    [{ op: 'number.parse', decimal: ',' }, '1.5', value],
    [{ op: 'number.parse', decimal: ',', thousands: ',' }, '1', value],
    ...['', '12abc', '1.', '.5', '1..2', '--1', '0x10', 'Infinity', 'NaN', '1 2', '1_0'].map((text): Case => [
      { op: 'number.parse' },
      text,
      value,
    ]),
    [{ op: 'number.parse' }, '1e400', value.replace('value', 'range')],
    [{ op: 'number.parse' }, '9'.repeat(401), value],
    [{ op: 'number.add', value: 0.2 }, 0.1, 0.3],
    [{ op: 'number.add', value: -1e-7 }, 1e-7, 0],
    [{ op: 'number.subtract', value: 0.1 }, 0.3, 0.2],
    [{ op: 'number.multiply', value: 1.1 }, 1.1, 1.21],
    [{ op: 'number.multiply', value: 1e300 }, 1e300, range],
    [{ op: 'number.multiply', value: 0 }, -5, 0],
    [{ op: 'number.divide', value: 8 }, 1, 0.125],
    [{ op: 'number.divide', value: 0 }, 1, range],
    [{ op: 'number.round', digits: 2 }, 1.005, 1.01],
    [{ op: 'number.round', digits: 2 }, -1.005, -1.01],
    [{ op: 'number.round', digits: 0, mode: 'halfEven' }, 2.5, 2],
    [{ op: 'number.round', digits: 0, mode: 'halfEven' }, 3.5, 4],
    [{ op: 'number.round', mode: 'up' }, -1.1, -2],
    [{ op: 'number.round', mode: 'down' }, -1.9, -1],
    [{ op: 'number.round', mode: 'ceil' }, -1.9, -1],
    [{ op: 'number.round', mode: 'floor' }, -1.1, -2],
    [{ op: 'number.round', digits: 3 }, 1e-20, 0],
    [{ op: 'number.round' }, 1e21, 1e21],
    [{ op: 'number.abs' }, -3, 3],
    [{ op: 'number.clamp', min: 1, max: 5 }, 9, 5],
    [{ op: 'number.clamp', min: 1 }, 0, 1],
    [{ op: 'number.clamp', min: 2, max: 1 }, 0, range],
    [{ op: 'number.format' }, 1234567.891, '1,234,567.891'],
    [{ op: 'number.format', locale: 'de-DE', minDigits: 2, maxDigits: 2 }, 1234.5, '1.234,50'],
    [{ op: 'number.format', currency: 'EUR', locale: 'en-US' }, 1234.5, '€1,234.50'],
    [{ op: 'number.format', style: 'percent' }, 0.25, '25%'],
    [{ op: 'number.format', grouping: false }, 1234, '1234'],
    [{ op: 'number.format', minDigits: 3, maxDigits: 1 }, 1, range],
    [{ op: 'number.add', value: 1 }, '1', type],
  ],
  date: [
    [{ op: 'date.parse' }, '2024-02-29', '2024-02-29T00:00:00.000Z'],
    [{ op: 'date.parse', zone: 'America/New_York' }, '2024-07-01T09:00', '2024-07-01T13:00:00.000Z'],
    [
      { op: 'date.parse', zone: 'America/New_York' },
      '2024-07-01T09:00:00.5+02:00',
      '2024-07-01T07:00:00.500Z',
    ],
    [{ op: 'date.parse' }, '0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    [{ op: 'date.parse' }, '2023-02-29', value],
    [{ op: 'date.parse' }, '2024-01-01T24:00', value],
    [{ op: 'date.parse' }, '01/02/2024', value],
    [{ op: 'date.parse' }, 'tomorrow', value],
    [
      { op: 'date.parse', format: 'dd.MM.yyyy HH:mm', zone: 'Europe/Berlin' },
      '01.07.2024 09:05',
      '2024-07-01T07:05:00.000Z',
    ],
    [{ op: 'date.parse', format: 'M/d/yyyy h:mm a' }, '7/4/2024 12:30 am', '2024-07-04T00:30:00.000Z'],
    [{ op: 'date.parse', format: 'M/d/yyyy h:mm a' }, '7/4/2024 12:30 PM', '2024-07-04T12:30:00.000Z'],
    [{ op: 'date.parse', format: 'M/d/yyyy h:mm a' }, '7/4/2024 13:30 PM', value],
    [{ op: 'date.parse', format: 'EEE, d MMM yyyy' }, 'Mon, 1 Jul 2024', '2024-07-01T00:00:00.000Z'],
    [
      { op: 'date.parse', format: 'd MMMM yyyy', locale: 'fr-FR' },
      '14 juillet 2024',
      '2024-07-14T00:00:00.000Z',
    ],
    [
      { op: 'date.parse', format: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX" },
      '2024-01-01T00:00:00.250-05:30',
      '2024-01-01T05:30:00.250Z',
    ],
    [{ op: 'date.parse', format: 'dd.MM.yyyy' }, '31.06.2024', value],
    [{ op: 'date.parse', format: 'dd.MM.yyyy' }, '01.06.2024 ', '2024-06-01T00:00:00.000Z'],
    [{ op: 'date.parse', format: 'dd.MM.yyyy' }, '01.06.2024x', value],
    [{ op: 'date.parse', format: 'HH:mm' }, '01:00', value],
    [{ op: 'date.parse', format: 'unix' }, 1_700_000_000, '2023-11-14T22:13:20.000Z'],
    [{ op: 'date.parse', format: 'unixMs' }, '1700000000000', '2023-11-14T22:13:20.000Z'],
    [{ op: 'date.parse', format: 'unix' }, 1e15, range],
    [{ op: 'date.parse', format: 'unix' }, 'x', value],
    [{ op: 'date.format', pattern: 'yyyy-MM-dd HH:mm:ss.SSS XXX' }, at, '2024-02-29 12:34:56.789 Z'],
    [{ op: 'date.format', pattern: 'd.M.yyyy H:mm XXX', zone: 'Asia/Kolkata' }, at, '29.2.2024 18:04 +05:30'],
    [{ op: 'date.format', pattern: "EEEE d MMMM 'at' h a" }, at, 'Thursday 29 February at 12 PM'],
    [{ op: 'date.format', pattern: 'EEE MMM', locale: 'de-DE' }, at, 'Do Feb'],
    [
      { op: 'date.format', dateStyle: 'long', locale: 'en-GB', zone: 'Asia/Tokyo' },
      '2024-02-28T20:00:00Z',
      '29 February 2024',
    ],
    [{ op: 'date.format', pattern: 'd' }, '2024-02-29', value],
    [{ op: 'date.add', days: 1 }, '2024-02-28T10:00:00Z', '2024-02-29T10:00:00.000Z'],
    [{ op: 'date.add', months: 1 }, '2024-01-31T10:00:00Z', '2024-02-29T10:00:00.000Z'],
    [{ op: 'date.add', years: -1 }, '2024-02-29T10:00:00Z', '2023-02-28T10:00:00.000Z'],
    [
      { op: 'date.add', weeks: 1, hours: 1, minutes: 1, seconds: 1 },
      '2024-01-01T00:00:00Z',
      '2024-01-08T01:01:01.000Z',
    ],
    [{ op: 'date.add', years: 9_000 }, at, range],
    [{ op: 'date.add', years: 1e10 }, at, range],
    [{ op: 'date.add', hours: 1 }, '2024-01-01', value],
    [{ op: 'date.difference', since: '2024-01-31T00:00:00Z', unit: 'months' }, '2024-02-28T23:59:59Z', 0],
    [{ op: 'date.difference', since: '2024-01-29T00:00:00Z', unit: 'months' }, '2024-02-29T00:00:00Z', 1],
    [{ op: 'date.difference', since: '2000-03-01T00:00:00Z', unit: 'years' }, '2024-02-29T00:00:00Z', 23],
    [{ op: 'date.difference', since: '2024-01-02T00:00:00Z', unit: 'days' }, '2024-01-01T12:00:00Z', 0],
    [{ op: 'date.difference', since: '2024-01-10T00:00:00Z', unit: 'weeks' }, '2024-01-01T00:00:00Z', -1],
    [{ op: 'date.difference', since: '2024-01-01T00:00:00Z', unit: 'hours' }, '2024-01-01T01:30:00Z', 1.5],
    [{ op: 'date.difference', since: 'x', unit: 'hours' }, at, value],
    [{ op: 'date.startOf', unit: 'year' }, at, '2024-01-01T00:00:00.000Z'],
    [{ op: 'date.startOf', unit: 'quarter' }, '2024-06-30T23:00:00Z', '2024-04-01T00:00:00.000Z'],
    [
      { op: 'date.startOf', unit: 'month', zone: 'Asia/Tokyo' },
      '2024-02-29T15:00:00Z',
      '2024-02-29T15:00:00.000Z',
    ],
    [{ op: 'date.startOf', unit: 'week' }, '2024-03-03T12:00:00Z', '2024-02-26T00:00:00.000Z'],
    [
      { op: 'date.startOf', unit: 'week', weekStartsOn: 'sunday' },
      '2024-03-03T12:00:00Z',
      '2024-03-03T00:00:00.000Z',
    ],
    [
      { op: 'date.startOf', unit: 'hour', zone: 'Asia/Kolkata' },
      '2024-01-01T00:10:00Z',
      '2023-12-31T23:30:00.000Z',
    ],
    [{ op: 'date.startOf', unit: 'minute' }, at, '2024-02-29T12:34:00.000Z'],
    [{ op: 'date.endOf', unit: 'month' }, at, '2024-02-29T23:59:59.999Z'],
    [{ op: 'date.endOf', unit: 'week' }, at, '2024-03-03T23:59:59.999Z'],
    [{ op: 'date.endOf', unit: 'hour' }, at, '2024-02-29T12:59:59.999Z'],
    [{ op: 'date.extract', field: 'hour', zone: 'America/New_York' }, at, 7],
    [{ op: 'date.extract', field: 'weekday' }, '2024-03-03T00:00:00Z', 7],
    [{ op: 'date.extract', field: 'dayOfYear' }, '2024-12-31T00:00:00Z', 366],
    [{ op: 'date.extract', field: 'week' }, '2024-12-30T00:00:00Z', 1],
    [{ op: 'date.extract', field: 'week' }, '2021-01-03T00:00:00Z', 53],
    [{ op: 'date.extract', field: 'quarter' }, at, 1],
    [{ op: 'date.extract', field: 'unix' }, at, 1_709_210_096],
    [{ op: 'date.extract', field: 'millisecond' }, at, 789],
  ],
  json: [
    [{ op: 'json.parse' }, '{"__proto__":{"a":1},"b":2}', proto],
    [{ op: 'json.parse' }, '{', value],
    [{ op: 'json.parse' }, '["\\u0000"]', value],
    [{ op: 'json.parse' }, '{"\\ud800":1}', value],
    [{ op: 'json.parse' }, '['.repeat(101), tooLarge],
    [{ op: 'json.stringify' }, { a: [1, 'é'] }, '{"a":[1,"é"]}'],
    [{ op: 'json.stringify', indent: 2 }, [1], '[\n  1\n]'],
    [{ op: 'json.get', pointer: '/a/1/b~1c' }, { a: [0, { 'b/c': 5 }] }, 5],
    [{ op: 'json.get', pointer: '' }, 5, 5],
    [{ op: 'json.get', pointer: '/a' }, {}, missing],
    [{ op: 'json.get', pointer: '/toString' }, {}, missing],
    [{ op: 'json.get', pointer: '/length' }, [1], missing],
    [{ op: 'json.get', pointer: '/01' }, [1, 2], missing],
    [{ op: 'json.get', pointer: '/a', default: null }, {}, null],
    [{ op: 'json.get', pointer: '/a', default: 1 }, { a: null }, null],
    [{ op: 'json.pick', members: ['b', '__proto__', 'toString'] }, proto, proto],
    [{ op: 'json.omit', members: ['b'] }, { a: 1, b: 2 }, { a: 1 }],
    [
      { op: 'json.rename', members: [{ from: 'a', to: 'x' }] },
      { a: 1, b: 2 },
      { x: 1, b: 2 },
    ],
    [{ op: 'json.rename', members: [{ from: 'a', to: 'b' }] }, { a: 1, b: 2 }, value],
    [
      { op: 'json.merge', with: { b: { d: 1 } } },
      { a: 1, b: { c: 1 } },
      { a: 1, b: { d: 1 } },
    ],
    [
      { op: 'json.merge', with: { b: { d: 1 } }, deep: true },
      { a: 1, b: { c: 1 } },
      { a: 1, b: { c: 1, d: 1 } },
    ],
    [{ op: 'json.flatten' }, { a: { b: [1, { c: null }] }, d: {} }, { 'a.b.0': 1, 'a.b.1.c': null, d: {} }],
    [{ op: 'json.flatten' }, { 'a.b': 1, a: { b: 2 } }, value],
    [{ op: 'json.entries' }, { a: 1 }, [{ key: 'a', value: 1 }]],
    [{ op: 'json.fromEntries' }, [{ key: 'a', value: null }], { a: null }],
    [
      { op: 'json.fromEntries' },
      [
        { key: 'a', value: 1 },
        { key: 'a', value: 2 },
      ],
      value,
    ],
    [{ op: 'json.fromEntries' }, [{ key: 1, value: 1 }], type],
    [{ op: 'json.pick', members: ['a'] }, [], type],
  ],
  schemas: [
    [{ op: 'json.validate', schema: { type: 'object', required: ['b'] } }, proto, proto],
    [{ op: 'json.validate', schema: { type: 'object', required: ['c'] } }, proto, value],
    [{ op: 'json.validate', schema: false }, 1, value],
  ],
  list: [
    [{ op: 'list.sort' }, [10, 9, null, 1], [1, 9, 10, null]],
    [{ op: 'list.sort', direction: 'descending' }, ['a', 'B', null, 'b'], ['b', 'a', 'B', null]],
    [
      { op: 'list.sort', by: '/p/q' },
      [{ p: { q: 2 } }, {}, { p: { q: 1 } }],
      [{ p: { q: 1 } }, { p: { q: 2 } }, {}],
    ],
    [{ op: 'list.sort' }, [1, '1'], type],
    [{ op: 'list.sort' }, [[]], type],
    [{ op: 'list.unique' }, [1, '1', { a: 1, b: 2 }, { b: 2, a: 1 }, 1], [1, '1', { a: 1, b: 2 }]],
    [{ op: 'list.unique', by: 'id' }, [{ id: 1 }, { id: 1, x: 1 }, {}], [{ id: 1 }, {}]],
    [{ op: 'list.first' }, [1, 2], 1],
    [{ op: 'list.first' }, [], null],
    [{ op: 'list.last' }, [1, 2], 2],
    [{ op: 'list.slice', start: 1, end: -1 }, [1, 2, 3], [2]],
    [{ op: 'list.reverse' }, [1, 2], [2, 1]],
    [{ op: 'list.chunk', size: 2 }, [1, 2, 3], [[1, 2], [3]]],
    [{ op: 'list.compact' }, [0, '', null, false, [], 'a'], [0, false, [], 'a']],
    [{ op: 'list.count' }, [1, 2], 2],
    [{ op: 'list.sum' }, [0.1, 0.2, 0.3], 0.6],
    [{ op: 'list.sum' }, [], 0],
    [{ op: 'list.sum', by: 'n' }, [{ n: 1 }, { n: '2' }], type],
    [{ op: 'list.average', by: 'n' }, [{ n: 1 }, { n: 2 }], 1.5],
    [{ op: 'list.average' }, [], range],
    [
      { op: 'list.groupBy', by: 'k' },
      [{ k: 'a', v: 1 }, { k: '__proto__' }, { k: 'a', v: 2 }],
      JSON.parse('{"a":[{"k":"a","v":1},{"k":"a","v":2}],"__proto__":[{"k":"__proto__"}]}'),
    ],
    [{ op: 'list.groupBy', by: 'k' }, [{}], type],
    [{ op: 'list.count' }, {}, type],
  ],
  boolean: [
    [{ op: 'boolean.parse' }, ' Yes ', true],
    [{ op: 'boolean.parse' }, 0, false],
    [{ op: 'boolean.parse' }, true, true],
    [{ op: 'boolean.parse' }, 'perhaps', value],
    [{ op: 'boolean.parse' }, null, value],
    [{ op: 'boolean.not' }, false, true],
    [{ op: 'boolean.not' }, 'true', type],
  ],
  encodings: [
    [{ op: 'hash.sha256' }, '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [{ op: 'hash.sha256', encoding: 'base64' }, 'é', 'SplVfkAzw1Od4utlRyAXytX5VX96BiWgnxw/biumnEw='],
    [{ op: 'base64.encode' }, 'é?>', 'w6k/Pg=='],
    [{ op: 'base64.encode', variant: 'url' }, 'é?>', 'w6k_Pg'],
    [{ op: 'base64.decode' }, 'w6k/\nPg==', 'é?>'],
    [{ op: 'base64.decode' }, 'w6k_Pg', 'é?>'],
    [{ op: 'base64.decode' }, 'a', value],
    [{ op: 'base64.decode' }, 'a!bc', value],
    [{ op: 'base64.decode' }, '/w==', value],
    [{ op: 'base64.decode' }, 'AA==', value],
    [{ op: 'url.encode' }, 'a b&é', 'a%20b%26%C3%A9'],
    [{ op: 'url.decode' }, 'a+b%26%C3%A9', 'a+b&é'],
    [{ op: 'url.decode', plusIsSpace: true }, 'a+b', 'a b'],
    [{ op: 'url.decode' }, '%', value],
    [{ op: 'url.decode' }, '%FF', value],
    [{ op: 'url.decode' }, '%00', value],
  ],
};

describe('Operations', () => {
  describe.each(Object.entries(cases))('on %s', (_, list) => {
    test.each(list)('%j of %j is %j', (step, input, output) => {
      expect(JSON.stringify(valueOf(input, step))).toBe(JSON.stringify(output));
    });
  });

  test('are all tried here', () => {
    const schema = z.toJSONSchema(formatNode.params, { io: 'input', unrepresentable: 'any' });
    const { steps } = schema.properties as unknown as {
      steps: { items: { oneOf: { properties: { op: { const: string } } }[] } };
    };
    const options = steps.items.oneOf;
    const tried = new Set(Object.values(cases).flatMap((list) => list.map(([{ op }]) => op)));
    expect(options.map(({ properties }) => properties.op.const).toSorted()).toEqual([...tried].toSorted());
  });
});

describe('Days across a change of clocks', () => {
  // New York: forward on 10 March 2024 at 2:00, back on 3 November at 2:00.
  test.each([
    {
      what: 'a day later at the same hour',
      days: 1,
      from: '2024-03-09T14:00:00Z',
      to: '2024-03-10T13:00:00.000Z',
    },
    {
      what: '24 hours later at another',
      hours: 24,
      from: '2024-03-09T14:00:00Z',
      to: '2024-03-10T14:00:00.000Z',
    },
    {
      what: 'an hour that is left out',
      days: 1,
      from: '2024-03-09T07:30:00Z',
      to: '2024-03-10T07:30:00.000Z',
    },
    {
      what: 'an hour that comes twice',
      days: 1,
      from: '2024-11-02T05:30:00Z',
      to: '2024-11-03T05:30:00.000Z',
    },
    { what: 'then an hour', days: 1, hours: 1, from: '2024-11-02T05:30:00Z', to: '2024-11-03T06:30:00.000Z' },
    { what: 'back over it', days: -1, from: '2024-03-10T13:00:00Z', to: '2024-03-09T14:00:00.000Z' },
  ])('$what', ({ what: _, from, to, ...given }) => {
    expect(valueOf(from, { op: 'date.add', zone: 'America/New_York', ...given })).toBe(to);
  });

  test('of half an hour, and at midnight', () => {
    // Lord Howe sets its clocks by half an hour; in Cairo the day of the change begins at one.
    const add = { op: 'date.add', days: 1, zone: 'Australia/Lord_Howe' };
    expect(valueOf('2024-04-05T23:00:00Z', add)).toBe('2024-04-06T23:30:00.000Z');
    const start = { op: 'date.startOf', unit: 'day', zone: 'Africa/Cairo' };
    expect(valueOf('2024-04-26T10:00:00Z', start)).toBe('2024-04-25T22:00:00.000Z');
    expect(
      valueOf('2024-04-26T10:00:00Z', start, { op: 'date.extract', field: 'hour', zone: 'Africa/Cairo' }),
    ).toBe(1);
  });

  test('count by the calendar, hours by the clock', () => {
    const since = { since: '2024-03-09T17:00:00Z', zone: 'America/New_York' };
    const noon = '2024-03-10T16:00:00Z';
    expect(valueOf(noon, { op: 'date.difference', unit: 'days', ...since })).toBe(1);
    expect(valueOf(noon, { op: 'date.difference', unit: 'hours', ...since })).toBe(23);
  });

  test('leave the hour that comes twice where it is', () => {
    const second = '2024-11-03T06:45:00Z';
    expect(valueOf(second, { op: 'date.startOf', unit: 'hour', zone: 'America/New_York' })).toBe(
      '2024-11-03T06:00:00.000Z',
    );
  });
});

describe('Steps', () => {
  test('work on what the one before made', () => {
    const outcome = format(
      ' 3,50 ; 2,25 ',
      { op: 'text.split', separator: ';' },
      { op: 'list.first' },
      { op: 'number.parse', decimal: ',' },
      { op: 'number.multiply', value: 3 },
      { op: 'number.format', currency: 'USD' },
    );
    expect(outcome).toEqual({ kind: 'done', output: '$10.50' });
  });

  test('that fail say which, where and why', () => {
    expect(format('x', { op: 'text.trim' }, { op: 'number.add', value: 1 })).toEqual({
      kind: 'failed',
      error: {
        code: 'node.format_type',
        message:
          'Step 2, number.add, needs a number, got the string "x"; make a number of it with number.parse first.',
        details: { pointer: '/steps/1', op: 'number.add' },
      },
      retryable: false,
    });
  });

  test('say so in text that can be stored, wherever a quotation of the input ends', () => {
    const faces = '😀'.repeat(100);
    for (const input of [faces, `a${faces}`, `"${faces}`, `{"a":"${faces}" x`, `ab${faces}`]) {
      for (const op of ['number.abs', 'number.parse', 'json.parse', 'date.parse', 'boolean.parse']) {
        const outcome = format(input, { op });
        expect(outcome).toMatchObject({ kind: 'failed' });
        expect(JSON.stringify(outcome)).not.toMatch(/\\ud8|\p{Surrogate}/u);
      }
    }
  });

  test.each<[string, Step]>([
    ['zone', { op: 'date.extract', field: 'hour', zone: 'Mars/Base' }],
    ['zone', { op: 'date.extract', field: 'hour', zone: '+01:00' }],
    ['locale', { op: 'number.format', locale: 'not a locale' }],
    ['currency', { op: 'number.format', currency: 'euro' }],
    ['pattern', { op: 'date.format', pattern: 'YYYY-QQ' }],
    ['pattern', { op: 'date.format', pattern: "dd'" }],
    ['format', { op: 'date.parse', format: 'jj' }],
    ['pattern', { op: 'text.match', pattern: '(?=a)' }],
    ['pattern', { op: 'text.match', pattern: '(' }],
    ['pointer', { op: 'json.get', pointer: 'a' }],
    ['days', { op: 'date.add', days: 1.5 }],
    ['members', { op: 'json.pick', members: [] }],
  ])('whose %s is none are refused before anything runs', (member, step) => {
    const { error } = formatNode.params.safeParse({ input: 1, steps: [step] });
    expect(error?.issues.map(({ path }) => path.slice(0, 3))).toEqual([['steps', 0, member]]);
  });
});

test('A schema that is not right is refused, at its place', () => {
  const steps = [
    { op: 'json.validate', schema: { properties: { 'a/b': { type: 'text', nullable: true } } } },
  ];
  const { error } = formatNode.params.safeParse({ input: 1, steps });
  expect(error?.issues.map(({ path }) => path.join(' '))).toEqual([
    'steps 0 schema properties a/b type',
    'steps 0 schema properties a/b nullable',
  ]);
});

test('A value that does not fit its schema is told what it lacks', () => {
  const schema = { properties: { n: { minimum: 5 } }, required: ['a', 'b', 'c'] };
  expect(format({ n: 1 }, { op: 'json.validate', schema })).toMatchObject({
    error: {
      message:
        'Step 1, json.validate, needs a value that fits its schema. At /a: This is required, and missing; ' +
        '/b: This is required, and missing; /c: This is required, and missing; and 1 more.',
    },
  });
});

describe('What takes too much', () => {
  const million = 'a'.repeat(1_048_576);
  const many = Array.from({ length: 100_001 }, () => 1);

  test.each<[JsonValue, Step]>([
    [`${million}a`, { op: 'text.trim' }],
    [million, { op: 'text.replace', search: 'a', with: 'aa' }],
    [million, { op: 'text.replace', search: 'a', with: 'a'.repeat(10_000) }],
    [million, { op: 'text.replacePattern', pattern: 'a', with: 'a'.repeat(10_000) }],
    [million, { op: 'text.replacePattern', pattern: 'a.*b|a', with: '' }],
    ['ß'.repeat(1_048_576), { op: 'text.upper' }],
    [million, { op: 'text.split', separator: 'a' }],
    [million, { op: 'text.split', separator: '' }],
    [[million, 'a'], { op: 'text.join' }],
    [Array.from({ length: 100_000 }, () => ''), { op: 'text.join', separator: 'a'.repeat(10_000) }],
    ['a', { op: 'text.pad', length: 1_048_576 }],
    [million, { op: 'base64.encode' }],
    ['é'.repeat(200_000), { op: 'url.encode' }],
    [million, { op: 'json.stringify' }],
    [Array.from({ length: 200_000 }, () => 1), { op: 'json.stringify', indent: 8 }],
    [`[${'1,'.repeat(100_001)}1]`, { op: 'json.parse' }],
    [many, { op: 'list.count' }],
    [many, { op: 'list.sort' }],
    [Object.fromEntries(many.map((_, i) => [`k${i}`, 1])), { op: 'json.entries' }],
    [{ a: Object.fromEntries(many.map((_, i) => [`k${i}`, 1])) }, { op: 'json.flatten' }],
    [Array.from({ length: 25 }, () => ({ deep: many })), { op: 'list.unique' }],
  ])('is refused (%#)', (input, step) => {
    expect(valueOf(input, step)).toBe(tooLarge);
  });

  test('in all steps together is refused too', () => {
    const list = Array.from({ length: 100_000 }, (_, i) => (i * 7_919) % 100_003);
    const sorts = Array.from({ length: 50 }, (_, i) => ({
      op: 'list.sort',
      direction: i % 2 === 0 ? 'ascending' : 'descending',
    }));
    expect(valueOf(list, ...sorts)).toBe(tooLarge);
    expect(valueOf(list, ...sorts.slice(0, 4), { op: 'list.first' })).toBe(100_002);
  });

  test('with patterns that block others ends', () => {
    expect(valueOf(`${'a'.repeat(5_000)}!`, { op: 'text.match', pattern: '^(a+)+$' })).toBeNull();
  });
});
