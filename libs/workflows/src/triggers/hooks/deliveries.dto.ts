import { z } from 'zod';
import { pageQuery, pageSchema } from '#platform';
import { hookEvent } from './hook-event';
import type { DeliveryRow, FullDelivery } from './hook-deliveries.sql';
import { masked, maskedObject } from './masking';

export const deliveryIdParam = z.uuid().describe('Id of the delivery.');

const states = ['accepted', 'duplicate', 'refused', 'rejected'] as const;

const deliverySummary = z
  .object({
    id: z.uuid(),
    hookId: z.uuid(),
    state: z
      .enum(states)
      .describe(
        'accepted: it started a run. duplicate: an earlier one like it had. refused: no run may start now. rejected: signature or credentials were wrong.',
      ),
    reason: z.string().nullable().describe('Why there is no run.'),
    runId: z.uuid().nullable(),
    source: z.enum(['call', 'test', 'replay']),
    replayOf: z.uuid().nullable().describe('The delivery that was taken up again.'),
    by: z.string().nullable().describe('Who tried or replayed it.'),
    method: z.string(),
    bodyBytes: z.int(),
    receivedAt: z.iso.datetime(),
    keptUntil: z.iso.datetime(),
  })
  .meta({ id: 'HookDeliverySummary' });

export const deliveryView = deliverySummary
  .extend({
    headers: z.record(z.string(), z.unknown()).describe('Without credentials; signatures are masked.'),
    query: z.record(z.string(), z.unknown()),
    body: z.unknown().describe('As workflows see it. Fields whose names speak of secrets are masked.'),
    bodyKind: z
      .unknown()
      .describe('`json`, `form`, `text`, `base64`, `empty`; `withheld` when it was rejected.'),
  })
  .meta({ id: 'HookDelivery' });

export const deliveriesPage = pageSchema(deliverySummary);
export const deliveriesQuery = pageQuery.extend({ state: z.enum(states).optional() });
export const deliveriesCursor = z.strictObject({ id: z.uuid() });

/** Body of a test delivery. */
export const testBody = z
  .strictObject({
    body: z.unknown().optional().describe('A text is sent as it is, anything else as JSON.'),
    contentType: z.string().min(1).max(200).optional(),
  })
  .default({})
  .meta({ id: 'TestHook' });

export const storedDelivery = z
  .object({
    deliveryId: z.uuid(),
    runId: z.uuid(),
    duplicate: z.boolean().describe('The run was started before.'),
  })
  .meta({ id: 'StoredHookDelivery' });

export type DeliveriesQuery = z.output<typeof deliveriesQuery>;
export type DeliverySummary = z.output<typeof deliverySummary>;
export type DeliveryView = z.output<typeof deliveryView>;
export type TestRequest = z.output<typeof testBody>;

export function toDeliverySummary(row: DeliveryRow): DeliverySummary {
  const { workflowId: _, receivedAt, expiresAt, ...summary } = row;
  return { ...summary, receivedAt: receivedAt.toISOString(), keptUntil: expiresAt.toISOString() };
}

export function toDeliveryView(row: FullDelivery): DeliveryView {
  const { headers, query, body, ...summary } = row;
  const event = hookEvent({ headers, query }, body ?? Buffer.alloc(0));
  return {
    ...toDeliverySummary(summary),
    headers: maskedObject(headers),
    query: maskedObject(query),
    body: masked(event['body'] ?? null),
    bodyKind: row.state === 'rejected' ? 'withheld' : event['bodyKind'],
  };
}
