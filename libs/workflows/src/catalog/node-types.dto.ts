import { z } from 'zod';
import type { NodeKind } from '../nodes/node-kind';

const jsonSchema = z.record(z.string(), z.unknown());

const nodeTypeView = z
  .object({
    type: z.string(),
    title: z.string(),
    description: z.string(),
    role: z
      .enum(['trigger', 'action', 'loop'])
      .describe('A `loop` has a body: the nodes that name it as their parent.'),
    ports: z.array(z.string()).describe('With empty params; every node has the port `error` as well.'),
    paramsSchema: jsonSchema.describe(
      'JSON Schema 2020-12 of the params once their expressions are resolved.',
    ),
    secrets: z.array(z.string()).describe('Names of the params that may hold `{{ secrets.NAME }}`.'),
  })
  .meta({ id: 'NodeType' });

export const nodeTypesView = z.object({ data: z.array(nodeTypeView) }).meta({ id: 'NodeTypes' });

export const workflowSchemaView = jsonSchema.meta({ id: 'WorkflowJsonSchema' });

export interface NodeTypeView {
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly role: NodeKind['role'];
  readonly ports: readonly string[];
  readonly paramsSchema: Readonly<Record<string, unknown>>;
  readonly secrets: readonly string[];
}

export function toNodeTypeView(kind: NodeKind): NodeTypeView {
  const { type, title, description, role, params, ports, secrets = [] } = kind;
  const schema = z.toJSONSchema(params, { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' });
  return { type, title, description, role, ports: ports({}), paramsSchema: { ...schema }, secrets };
}
