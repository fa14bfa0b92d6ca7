import { z } from 'zod';
import type { NodeKind } from './node-kind';

export interface FailParams {
  readonly message: string;
  readonly code?: string | undefined;
}

/** Fails on purpose, for paths on which the workflow's author knows that something is wrong. */
export const failNode: NodeKind<FailParams> = {
  type: 'fail',
  title: 'Fail',
  description: 'Fails with the given message.',
  role: 'action',
  purity: 'pure',
  params: z.strictObject({
    message: z.string().min(1).max(2_000),
    code: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,62}$/, { error: 'must be snake_case, of up to 63 characters' })
      .optional(),
  }),
  ports: () => [],
  // The author's codes have a namespace of their own: nobody may take them for a failure of the engine.
  execute: ({ params: { code, message } }) => ({
    kind: 'failed',
    error: { code: code === undefined ? 'node.failed_on_purpose' : `custom.${code}`, message },
  }),
};
