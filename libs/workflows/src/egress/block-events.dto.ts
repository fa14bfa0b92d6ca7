import { z } from 'zod';
import { pageQuery, pageSchema } from '#platform';
import type { BlockEventRow } from './block-events.sql';

const blockEventView = z
  .object({
    id: z.uuid(),
    host: z.string(),
    rule: z
      .string()
      .describe('A rule of the installation (`address.private`), or of the policy (`policy.deny`).'),
    url: z.string().describe('The last one, without user, query, fragment and long parts of the path.'),
    message: z.string(),
    workflowId: z.uuid().nullable(),
    runIds: z.array(z.uuid()).describe('The last runs of which it was, the last one first; twenty at most.'),
    nodeId: z.string(),
    iteration: z.string().describe('Of the last one; empty outside loops.'),
    dryRun: z.boolean().describe('It passed: the policy is in a dry run.'),
    count: z.int().describe('How many requests of that minute were alike.'),
    firstAt: z.iso.datetime(),
    lastAt: z.iso.datetime(),
  })
  .meta({ id: 'EgressBlock' });

export const blockEventsPage = pageSchema(blockEventView);

export const blockEventsQuery = pageQuery.extend({
  host: z.string().min(1).max(253).toLowerCase().optional(),
  rule: z.string().min(1).max(100).optional(),
  runId: z.uuid().optional(),
  dryRun: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .describe('Only those of a dry run, or only those that were refused.'),
});

export const blockEventsCursor = z.strictObject({ id: z.uuid() });

export const clearBlocksQuery = z.object({
  before: z.iso.datetime({ offset: true }).optional().describe('Only what was last refused before then.'),
});

export const clearedBlocks = z.object({ deleted: z.int() }).meta({ id: 'ClearedEgressBlocks' });

export type BlockEventView = z.output<typeof blockEventView>;
export type BlockEventsQuery = z.output<typeof blockEventsQuery>;

export function toBlockEvent({ firstAt, lastAt, runIds, ...row }: BlockEventRow): BlockEventView {
  return {
    ...row,
    runIds: [...runIds],
    firstAt: firstAt.toISOString(),
    lastAt: lastAt.toISOString(),
  };
}
