import { z } from 'zod';
import { add, type Decimal, decimalOf, multiply, negate, numberOf, scaledTo } from '../../decimal';
import type { JsonValue } from '../../definition/json';
import { described } from '../param-schemas';
import { locale } from './locale';
import { finite, FormatFault, numberIn, operation, textIn } from './operation';

const value = z.number();
const modes = ['halfUp', 'halfEven', 'up', 'down', 'ceil', 'floor'] as const;
type Mode = (typeof modes)[number];
const digits = z.int().min(0).max(20);

/** Operations on numbers. They compute in decimals, so that 0.1 and 0.2 make 0.3. */
export const numberOperations = [
  operation(
    'number.parse',
    {
      decimal: z.enum(['.', ',']).default('.'),
      thousands: z.enum(['', '.', ',', ' ', "'", '’', '_']).default(''),
    },
    parse,
  ),
  operation('number.add', { value }, (input, settings) => computed(input, settings.value, add)),
  operation('number.subtract', { value }, (input, settings) =>
    computed(input, settings.value, (a, b) => add(a, negate(b))),
  ),
  operation('number.multiply', { value }, (input, settings) => computed(input, settings.value, multiply)),
  operation('number.divide', { value }, (input, settings) => {
    const dividend = numberIn(input);
    if (settings.value === 0) throw new FormatFault('range', 'cannot divide by 0');
    return finite(dividend / settings.value);
  }),
  operation(
    'number.round',
    { digits: digits.default(0), mode: z.enum(modes).default('halfUp') },
    (input, settings) =>
      finite(numberOf(rounded(decimalOf(numberIn(input)), settings.digits, settings.mode))),
  ),
  operation('number.abs', {}, (input) => Math.abs(numberIn(input))),
  operation(
    'number.clamp',
    { min: z.number().optional(), max: z.number().optional() },
    (input, { min, max }) => {
      if (min !== undefined && max !== undefined && min > max) {
        throw new FormatFault('range', `needs a min that is not above max, got ${min} and ${max}`);
      }
      return Math.max(min ?? -Infinity, Math.min(max ?? Infinity, numberIn(input)));
    },
  ),
  operation(
    'number.format',
    {
      locale,
      style: z.enum(['decimal', 'percent']).default('decimal'),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/, { error: 'must be a code like EUR' })
        .optional(),
      minDigits: digits.optional(),
      maxDigits: digits.optional(),
      grouping: z.boolean().default(true),
    },
    (input, settings) => {
      const { currency, minDigits, maxDigits } = settings;
      if ((minDigits ?? 0) > (maxDigits ?? 20)) {
        throw new FormatFault(
          'range',
          `needs minDigits that are not above maxDigits, got ${minDigits} and ${maxDigits}`,
        );
      }
      const formatter = new Intl.NumberFormat(settings.locale, {
        ...(currency === undefined ? { style: settings.style } : { style: 'currency', currency }),
        ...(minDigits !== undefined && { minimumFractionDigits: minDigits }),
        ...(maxDigits !== undefined && { maximumFractionDigits: maxDigits }),
        useGrouping: settings.grouping,
      });
      return formatter.format(numberIn(input));
    },
  ),
];

/** Strict: a text in which anything but a number stands is none. Who writes "1.234" says what the point means. */
function parse(
  input: JsonValue,
  { decimal, thousands }: { readonly decimal: string; readonly thousands: string },
): number {
  if (typeof input === 'number') return input;
  if (thousands === decimal) throw new FormatFault('value', 'needs two separators that differ');
  const text = textIn(input).trim();
  const [, sign, whole = '', fraction = '', exponent = ''] =
    text.length > 400 ? [] : (forms[decimal === '.' ? 'point' : 'comma'].exec(text) ?? []);
  const grouped = (thousands === ' ' ? whole.replace(/[\u00A0\u202F]/g, ' ') : whole).split(
    thousands || '\0',
  );
  if (sign === undefined || !areGroups(grouped)) {
    const words =
      thousands === '' ? 'no separator of thousands' : `${JSON.stringify(thousands)} between thousands`;
    throw new FormatFault('value', `needs a number with ${decimal} and ${words}, got ${described(input)}`);
  }
  return finite(
    Number(`${sign === '-' || sign === '−' ? '-' : ''}${grouped.join('')}.${fraction || '0'}${exponent}`),
  );
}

/** Of three digits, in India of two before the last. So 1.23 is no 123, whatever the separators. */
function areGroups(groups: readonly string[]): boolean {
  const [first = '', ...more] = groups;
  if (more.length === 0) return /^\d+$/.test(first);
  return (
    /^\d{1,3}$/.test(first) &&
    more.every((group, i) => (i === more.length - 1 ? /^\d{3}$/ : /^\d{2,3}$/).test(group))
  );
}

/** Sign, whole part with its separators, fraction, exponent. */
const forms = {
  point: /^([+\-−]?)(\d(?:[^.e]*\d)?)(?:\.(\d+))?(e[+-]?\d{1,4})?$/i,
  comma: /^([+\-−]?)(\d(?:[^,e]*\d)?)(?:,(\d+))?(e[+-]?\d{1,4})?$/i,
};

function computed(input: JsonValue, by: number, compute: (a: Decimal, b: Decimal) => Decimal): number {
  return finite(numberOf(compute(decimalOf(numberIn(input)), decimalOf(by))));
}

/** On the digits that people see: 1.005 to two digits is 1.01, whatever the processor keeps of it. */
function rounded(value: Decimal, to: number, mode: Mode): Decimal {
  if (value.scale <= to) return value;
  const unit = 10n ** BigInt(value.scale - to);
  const sign = value.digits < 0n ? -1n : 1n;
  const size = value.digits * sign;
  const rest = size % unit;
  const whole = size / unit;
  return { digits: sign * (roundsUp(mode, { rest, unit, whole, sign }) ? whole + 1n : whole), scale: to };
}

function roundsUp(
  mode: Mode,
  { rest, unit, whole, sign }: { readonly [key in 'rest' | 'unit' | 'whole' | 'sign']: bigint },
): boolean {
  if (rest === 0n) return false;
  switch (mode) {
    case 'up':
      return true;
    case 'down':
      return false;
    case 'ceil':
      return sign > 0n;
    case 'floor':
      return sign < 0n;
    case 'halfUp':
      return rest * 2n >= unit;
    case 'halfEven':
      return rest * 2n === unit ? whole % 2n === 1n : rest * 2n > unit;
    default:
      return mode satisfies never;
  }
}

/** The sum of numbers, without what adding them one by one would lose. */
export function sumOf(numbers: readonly number[]): number {
  const decimals = numbers.map(decimalOf);
  const scale = decimals.reduce((most, decimal) => Math.max(most, decimal.scale), 0);
  const sum = decimals.reduce((total, decimal) => total + scaledTo(decimal, scale), 0n);
  return finite(numberOf({ digits: sum, scale }));
}
