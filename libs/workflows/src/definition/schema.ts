import { z } from 'zod';
import { jsonObject, portName } from '../nodes/param-schemas';
import { nodePolicies, settingsSchema } from './policies';

/** What a definition may be at most. The walker's counters and the editor's patience set these. */
export const definitionLimits = {
  nodes: 500,
  edges: 2_000,
  bytes: 1_048_576,
  depth: 64,
  loopDepth: 5,
} as const;

const nodeId = z.string().regex(/^[a-z][A-Za-z0-9_]{0,62}$/, {
  error: 'must begin with a small letter and have up to 63 letters, digits and underscores',
});

const nodeSchema = z.strictObject({
  id: nodeId.describe('Names the node in edges and in expressions: `nodes.<id>`.'),
  type: z.string().min(1).max(100).describe('The kind of node, as `http.request`.'),
  name: z.string().max(120).optional().describe('For people.'),
  params: jsonObject
    .default({})
    .describe('What the kind asks for. Any value may be an expression `{{ … }}`.'),
  join: z
    .enum(['all', 'any'])
    .default('all')
    .describe(
      'With several edges coming in: wait until all are settled, or begin at the first that is taken.',
    ),
  parent: nodeId
    .optional()
    .describe('The id of the `for_each` node whose body this node belongs to: it runs once for each item.'),
  ...nodePolicies,
  position: z.strictObject({ x: z.number(), y: z.number() }).optional().describe('In the editor.'),
});

const edgeSchema = z.strictObject({
  from: z.string().max(63).describe('The id of a node.'),
  port: portName.default('out').describe('The output port of that node; `error` is taken when it fails.'),
  to: z.string().max(63).describe('The id of the node that follows.'),
});

/** The shape of a definition. What the shape can not say is checked by `validateDefinition`. */
export const definitionSchema = z.strictObject({
  nodes: z.array(nodeSchema).max(definitionLimits.nodes),
  edges: z.array(edgeSchema).max(definitionLimits.edges),
  settings: settingsSchema.optional(),
});

/** A workflow as a graph, with its defaults filled in: what a draft and a version store. */
export type WorkflowDefinition = z.output<typeof definitionSchema>;
export type NodeDefinition = WorkflowDefinition['nodes'][number];
export type EdgeDefinition = WorkflowDefinition['edges'][number];
