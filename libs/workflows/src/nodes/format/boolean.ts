import { described } from '../param-schemas';
import { booleanIn, FormatFault, operation } from './operation';

const words: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['y', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['n', false],
  ['off', false],
  ['0', false],
]);

/** Operations on true and false. */
export const booleanOperations = [
  operation('boolean.parse', {}, (input) => {
    if (typeof input === 'boolean') return input;
    const word = typeof input === 'string' || typeof input === 'number' ? String(input) : '';
    const value = word.length > 20 ? undefined : words.get(word.trim().toLowerCase());
    if (value !== undefined) return value;
    throw new FormatFault('value', `needs one of ${[...words.keys()].join(', ')}, got ${described(input)}`);
  }),
  operation('boolean.not', {}, (input) => !booleanIn(input)),
] as const;
