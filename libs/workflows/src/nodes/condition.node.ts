import { z } from 'zod';
import type { NodeKind } from './node-kind';
import { described } from './param-schemas';

export interface ConditionParams {
  readonly if: boolean;
}

/**
 * Goes one of two ways. The value must be true or false: guessing the truth of `"false"`, of 0 or of an empty
 * list is how a workflow takes the wrong way without anybody noticing.
 */
export const conditionNode: NodeKind<ConditionParams> = {
  type: 'condition',
  title: 'Condition',
  description: 'Takes the port `true` or the port `false`.',
  role: 'action',
  purity: 'pure',
  params: z.strictObject({
    if: z.boolean({
      error: (issue) => `must be true or false, got ${described(issue.input)}; compare it, as in \`= true\``,
    }),
  }),
  ports: () => ['true', 'false'],
  execute: ({ params }) => ({ kind: 'done', output: params.if, ports: [params.if ? 'true' : 'false'] }),
};
