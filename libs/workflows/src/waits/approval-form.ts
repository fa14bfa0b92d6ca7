import { z } from 'zod';
import type { JsonObject, JsonValue } from '../definition/json';

const base = { name: z.string().regex(/^[a-z][A-Za-z0-9_]{0,62}$/), label: z.string().max(200).optional() };
const required = z.boolean().default(false);

/** A field that whoever approves fills in. */
export const formFieldSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...base,
    type: z.literal('text'),
    required,
    maxLength: z.int().min(1).max(10_000).default(2_000),
  }),
  z.strictObject({
    ...base,
    type: z.literal('number'),
    required,
    min: z.number().optional(),
    max: z.number().optional(),
  }),
  z.strictObject({ ...base, type: z.literal('boolean'), required }),
  z.strictObject({
    ...base,
    type: z.literal('select'),
    required,
    options: z.array(z.string().max(200)).min(1).max(100),
  }),
]);

export type FormField = z.output<typeof formFieldSchema>;

/** One thing wrong with an answer: the field and a sentence. */
export interface FormProblem {
  readonly field: string;
  readonly message: string;
}

/** Checks what was filled in. Fields that were left out are left out; there are no others than those asked for. */
export function checkForm(
  fields: readonly FormField[],
  values: JsonObject,
):
  | { readonly ok: true; readonly values: JsonObject }
  | { readonly ok: false; readonly problems: readonly FormProblem[] } {
  const known = new Set(fields.map(({ name }) => name));
  const strangers = Object.keys(values).filter((name) => !known.has(name));
  const problems = [
    ...strangers.map((field) => ({ field, message: 'The form has no such field.' })),
    ...fields.flatMap((field) => {
      const message = problemOf(field, Object.hasOwn(values, field.name) ? values[field.name] : undefined);
      return message === null ? [] : [{ field: field.name, message }];
    }),
  ];
  return problems.length === 0 ? { ok: true, values } : { ok: false, problems };
}

function problemOf(field: FormField, value: JsonValue | undefined): string | null {
  if (value === undefined || value === null || value === '') {
    return field.required ? 'This field must be filled in.' : null;
  }
  switch (field.type) {
    case 'text':
      if (typeof value !== 'string') return 'This must be a text.';
      return value.length > field.maxLength ? `This must have at most ${field.maxLength} characters.` : null;
    case 'number': {
      if (typeof value !== 'number') return 'This must be a number.';
      const { min = -Infinity, max = Infinity } = field;
      return value < min || value > max
        ? `This must be between ${field.min ?? '-∞'} and ${field.max ?? '∞'}.`
        : null;
    }
    case 'boolean':
      return typeof value === 'boolean' ? null : 'This must be true or false.';
    case 'select':
      return typeof value === 'string' && field.options.includes(value)
        ? null
        : `This must be one of ${field.options.join(', ')}.`;
    default:
      return field satisfies never;
  }
}
