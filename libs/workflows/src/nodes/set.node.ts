import { z } from 'zod';
import type { JsonObject } from '../definition/json';
import type { NodeKind } from './node-kind';
import { jsonObject } from './param-schemas';

export interface SetParams {
  readonly values: JsonObject;
}

/** Gives the values that its expressions compute, for later nodes to refer to. */
export const setNode: NodeKind<SetParams> = {
  type: 'set',
  title: 'Set values',
  description: 'Computes values; its output is the object of them.',
  role: 'action',
  purity: 'pure',
  params: z.strictObject({ values: jsonObject }),
  ports: () => ['out'],
  execute: ({ params }) => ({ kind: 'done', output: params.values }),
};
