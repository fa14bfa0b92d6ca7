import { z } from 'zod';
import type { JsonValue } from '../../definition/json';
import { canonical } from '../../payload-schema/canonical';
import { described } from '../param-schemas';
import { memberPath, valueAt } from './member-path';
import { sumOf } from './number';
import { finite, FormatFault, listIn, MAX_ITEMS, operation, type Work } from './operation';

const by = memberPath.optional();
const position = z.int().min(-MAX_ITEMS).max(MAX_ITEMS);

/** Operations on lists. `by` says where to look in each item; without it the items themselves are looked at. */
export const listOperations = [
  operation(
    'list.sort',
    { by, direction: z.enum(['ascending', 'descending']).default('ascending') },
    (input, settings) => sorted(listIn(input), settings.by, settings.direction === 'ascending' ? 1 : -1),
  ),
  operation('list.unique', { by }, (input, settings, work) => {
    const seen = new Set<string>();
    return listIn(input).filter((item) => {
      const before = seen.size;
      return seen.add(keyOf(item, settings.by, work)).size > before;
    });
  }),
  operation('list.first', {}, (input) => listIn(input)[0] ?? null),
  operation('list.last', {}, (input) => listIn(input).at(-1) ?? null),
  operation('list.slice', { start: position.default(0), end: position.optional() }, (input, { start, end }) =>
    listIn(input).slice(start, end),
  ),
  operation('list.reverse', {}, (input) => listIn(input).toReversed()),
  operation('list.chunk', { size: z.int().min(1).max(MAX_ITEMS) }, (input, { size }) => {
    const list = listIn(input);
    return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
      list.slice(i * size, (i + 1) * size),
    );
  }),
  operation('list.compact', {}, (input) => listIn(input).filter((item) => item !== null && item !== '')),
  operation('list.count', {}, (input) => listIn(input).length),
  operation('list.sum', { by }, (input, settings) => sumOf(numbersOf(listIn(input), settings.by))),
  operation('list.average', { by }, (input, settings) => {
    const numbers = numbersOf(listIn(input), settings.by);
    if (numbers.length === 0) throw new FormatFault('range', 'has no average to give of an empty list');
    return finite(sumOf(numbers) / numbers.length);
  }),
  operation('list.groupBy', { by: memberPath }, (input, settings) => {
    const groups = new Map<string, JsonValue[]>();
    for (const [i, item] of listIn(input).entries()) {
      const key = groupOf(valueAt(item, settings.by), i, settings.by);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [item]);
      else group.push(item);
    }
    return Object.fromEntries(groups);
  }),
];

function groupOf(value: JsonValue | undefined, index: number, path: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const got = value === undefined ? 'nothing' : described(value);
  throw new FormatFault(
    'type',
    `needs a text, a number or a boolean at ${path} of each item; item ${index} has ${got}`,
  );
}

function keyOf(item: JsonValue, path: string | undefined, work: Work): string {
  const value = path === undefined ? item : valueAt(item, path);
  return value === undefined ? '' : canonical(value, (steps) => work.spend(steps));
}

function numbersOf(list: readonly JsonValue[], path: string | undefined): readonly number[] {
  return list.map((item, i) => {
    const value = path === undefined ? item : valueAt(item, path);
    if (typeof value === 'number') return value;
    const where = path === undefined ? '' : ` at ${path} of each item`;
    throw new FormatFault('type', `needs a number${where}; item ${i} has ${described(value)}`);
  });
}

type Sortable = string | number | boolean | null;

/** Numbers by size, texts by their characters; what is missing or null comes last, either way. Equal ones keep their order. */
function sorted(
  list: readonly JsonValue[],
  path: string | undefined,
  direction: 1 | -1,
): readonly JsonValue[] {
  const keyed = list.map((item, i) => ({
    item,
    key: sortable(path === undefined ? item : valueAt(item, path), i),
  }));
  const types = new Set(keyed.flatMap(({ key }) => (key === null ? [] : [typeof key])));
  if (types.size > 1) {
    throw new FormatFault('type', `needs values of one type to sort by, got ${[...types].join(' and ')}`);
  }
  return keyed.toSorted((a, b) => compared(a.key, b.key, direction)).map(({ item }) => item);
}

function sortable(value: JsonValue | undefined, index: number): Sortable {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') return value;
  throw new FormatFault(
    'type',
    `needs a text, a number or a boolean to sort by; item ${index} has ${described(value)}`,
  );
}

function compared(a: Sortable, b: Sortable, direction: 1 | -1): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (a === b) return 0;
  return a < b ? -direction : direction;
}
