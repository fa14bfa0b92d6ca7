import { z } from 'zod';
import type { JsonValue } from '../../definition/json';
import { isJsonArray, isJsonObject } from '../../definition/json-guards';
import { storableText } from '../../egress/response-content';
import type { NodeKind, NodeOutcome } from '../node-kind';
import { jsonValue } from '../param-schemas';
import { booleanOperations } from './boolean';
import { dateOperations } from './date';
import { encodingOperations } from './encoding';
import { jsonOperations } from './json';
import { listOperations } from './list';
import { numberOperations } from './number';
import { FormatFault, type Operation, sized, Work } from './operation';
import { textOperations } from './text';
import { validateOperations } from './validate';

/** A step: `op`, the name of an operation, and its settings. */
export type FormatStep = Readonly<Record<string, unknown>>;

export interface FormatParams {
  readonly input: JsonValue;
  readonly steps: readonly FormatStep[];
}

const MAX_STEPS = 50;

const all = [
  ...booleanOperations,
  ...textOperations,
  ...numberOperations,
  ...dateOperations,
  ...jsonOperations,
  ...listOperations,
  ...encodingOperations,
  ...validateOperations,
] as const;

const operations: ReadonlyMap<string, Operation> = new Map(all.map((each) => [each.op, each]));

const [first, ...rest] = all;
const step = z.discriminatedUnion('op', [first.schema, ...rest.map(({ schema }) => schema)]);

/** Changes a value step by step, for those who do not want to write an expression. Its output is the last value. */
export const formatNode: NodeKind<FormatParams> = {
  type: 'format',
  title: 'Format',
  description: 'Changes a text, number, date, list or object step by step.',
  role: 'action',
  purity: 'pure',
  params: z.strictObject({ input: jsonValue, steps: z.array(step).min(1).max(MAX_STEPS) }),
  ports: () => ['out'],
  execute: ({ params: { input, steps } }) => {
    const work = new Work();
    let value = input;
    for (const [i, each] of steps.entries()) {
      try {
        value = applied(value, each, work);
      } catch (error) {
        return failed(error, each, i);
      }
    }
    return { kind: 'done', output: value };
  },
};

function applied(value: JsonValue, given: FormatStep, work: Work): JsonValue {
  const found = operations.get(nameOf(given));
  if (found === undefined) throw new Error(`There is no operation ${nameOf(given)}.`);
  work.spend(1 + weightOf(value));
  const result = found.apply(value, given, work);
  return typeof result === 'string' || Array.isArray(result) ? sized(result) : result;
}

/** A member takes longer than a character. */
function weightOf(value: JsonValue): number {
  if (typeof value === 'string') return value.length;
  if (isJsonArray(value)) return 20 * value.length;
  return isJsonObject(value) ? 20 * Object.keys(value).length : 0;
}

function failed(error: unknown, given: FormatStep, index: number): NodeOutcome {
  if (!(error instanceof FormatFault)) throw error;
  const op = nameOf(given);
  return {
    kind: 'failed',
    error: {
      code: `node.format_${error.code}`,
      // It may quote what it was given, and a quotation may end within a character.
      message: storableText(`Step ${index + 1}, ${op}, ${error.message}.`),
      details: { pointer: `/steps/${index}`, op },
    },
    retryable: false,
  };
}

function nameOf({ op }: FormatStep): string {
  return typeof op === 'string' ? op : '';
}
