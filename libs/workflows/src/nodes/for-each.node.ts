import { z } from 'zod';
import type { JsonValue } from '../definition/json';
import type { NodeKind } from './node-kind';
import { described, jsonValue } from './param-schemas';

export interface ForEachParams {
  readonly items: readonly JsonValue[];
  readonly concurrency: number;
  readonly onItemError: 'fail' | 'continue';
  readonly collect?: string | undefined;
}

/**
 * Runs its body, the nodes that name it as their parent, once for each item of a list. Output: `{results, failures}`,
 * with a result for each item in the order of the list, null for one that failed.
 */
export const forEachNode: NodeKind<ForEachParams> = {
  type: 'for_each',
  title: 'For each',
  description:
    'Runs its body once for each item of a list, several at a time if wanted, and collects the results.',
  role: 'loop',
  purity: 'pure',
  params: z.strictObject({
    items: z
      .array(jsonValue, { error: (issue) => `must be a list, got ${described(issue.input)}` })
      .describe('In the body, expressions see the item as `item` and its number from 0 as `index`.'),
    concurrency: z
      .int()
      .min(1)
      .max(100)
      .default(1)
      .describe(
        'How many items may be under way at a time. With 1 each begins when the one before it has ended.',
      ),
    onItemError: z
      .enum(['fail', 'continue'])
      .default('fail')
      .describe(
        'Whether an item that fails ends the loop, or leaves null in the results and is listed in failures.',
      ),
    collect: z
      .string()
      .max(63)
      .optional()
      .describe(
        'Id of the node in the body whose output is the result; by default the outputs of the last nodes, by id.',
      ),
  }),
  ports: () => ['out'],
  execute: ({ params: { items, concurrency, onItemError, collect } }) => ({
    kind: 'loop',
    items,
    concurrency,
    onItemError,
    collect: collect ?? null,
  }),
};
