import { z } from 'zod';
import type { NodeKind } from './node-kind';

/** Starts a run for each request to the workflow's webhook address. Its output is the request. */
export const triggerWebhookNode: NodeKind<Record<string, never>> = {
  type: 'trigger.webhook',
  title: 'Webhook',
  description: 'Starts the workflow for each request to its webhook address.',
  role: 'trigger',
  purity: 'pure',
  params: z.strictObject({}),
  ports: () => ['out'],
  execute: ({ trigger }) => ({ kind: 'done', output: trigger }),
};
