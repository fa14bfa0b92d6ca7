import type { JsonObject } from '../definition/json';
import type { WorkflowDefinition } from '../definition/schema';
import { type CompiledTemplates, parseTemplates } from '../expressions/template';
import type { NodeKindRegistry } from '../nodes/registry';
import { triggerManualNode, typedTriggerParams } from '../nodes/trigger-manual.node';
import { triggerWorkflowNode } from '../nodes/trigger-workflow.node';
import { triggerWebhookNode } from '../nodes/trigger-webhook.node';
import { type Dedupe, dedupeOf, webhookParams, type WebhookParams } from '../nodes/webhook-params';

/** A node that starts runs. */
export interface TriggerNode {
  readonly nodeId: string;
  readonly type: string;
  /** JSON Schema of the input that its runs begin with; anything goes without one. */
  readonly schema?: JsonObject;
}

/** The triggers of a definition, in its order. Nodes of a type that this release does not know are none. */
export function triggersOf({ nodes }: WorkflowDefinition, kinds: NodeKindRegistry): readonly TriggerNode[] {
  return nodes
    .filter(({ type }) => kinds.get(type)?.role === 'trigger')
    .map(({ id, type, params }) => {
      const parsed = isTyped(type) ? typedTriggerParams.safeParse(params) : undefined;
      return { nodeId: id, type, ...(parsed?.data?.schema && { schema: parsed.data.schema }) };
    });
}

function isTyped(type: string): boolean {
  return type === triggerManualNode.type || type === triggerWorkflowNode.type;
}

/** Whether runs of this trigger begin with a call of its own URL. */
export function isWebhook({ type }: Pick<TriggerNode, 'type'>): boolean {
  return type === triggerWebhookNode.type;
}

/** How the webhook of a node takes calls, made once for all of them. */
export interface WebhookSettings extends Omit<WebhookParams, 'dedupe'> {
  /** By what a delivery that comes again is known; null for by nothing. */
  readonly dedupe: Dedupe | null;
  /** The expression that says so. */
  readonly dedupeBy: CompiledTemplates | null;
}

/** The webhooks of a definition by their nodes. */
export function webhooksOf({ nodes }: WorkflowDefinition): ReadonlyMap<string, WebhookSettings> {
  return new Map(
    nodes.filter(isWebhook).flatMap(({ id, params }) => {
      const parsed = webhookParams.safeParse(params);
      if (!parsed.success) return [];
      const dedupe = dedupeOf(parsed.data);
      return [[id, { ...parsed.data, dedupe, dedupeBy: compiledDedupe(dedupe) }] as const];
    }),
  );
}

function compiledDedupe(dedupe: Dedupe | null): CompiledTemplates | null {
  if (dedupe?.by !== 'expression') return null;
  const { templates, errors } = parseTemplates(dedupe.expression);
  return errors.length === 0 ? templates : null;
}
