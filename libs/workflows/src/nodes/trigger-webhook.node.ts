import type { JsonObject } from '../definition/json';
import { isJsonObject } from '../definition/json-guards';
import type { Problem } from '../definition/problem';
import { parseTemplates } from '../expressions/template';
import type { NodeKind } from './node-kind';
import { webhookParams, type WebhookParams } from './webhook-params';

/** Starts a run for each request to the workflow's webhook address. Its output is the request. */
export const triggerWebhookNode: NodeKind<WebhookParams> = {
  type: 'trigger.webhook',
  title: 'Webhook',
  description: 'Starts the workflow for each request to its webhook address.',
  role: 'trigger',
  purity: 'pure',
  params: webhookParams,
  // They are for the call, which comes before the run; its one expression is evaluated there.
  literal: Object.keys(webhookParams.shape),
  ports: () => ['out'],
  check: expressionProblems,
  execute: ({ trigger }) => ({ kind: 'done', output: trigger }),
};

function expressionProblems({ dedupe }: JsonObject): readonly Problem[] {
  const expression =
    dedupe !== undefined && isJsonObject(dedupe) && dedupe['by'] === 'expression' && dedupe['expression'];
  if (typeof expression !== 'string') return [];
  return parseTemplates(expression).errors.map(({ message }) => ({
    code: 'expression_syntax',
    pointer: '/dedupe/expression',
    message,
  }));
}
