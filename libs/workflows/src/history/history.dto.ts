import { z } from 'zod';
import { pageQuery } from '#platform';
import { type RunStatus, runStatuses } from '../runs/run-state';
import { wantedLabel } from './labels';
import type { RunFilter } from './run-filter';

const status = z.enum(runStatuses);
const oneOf = runStatuses.join('|');

/** What runs can be looked for by. All that is given must hold. */
export const runsQuery = pageQuery.extend({
  workflowId: z.uuid().optional().describe('Runs of this workflow only.'),
  status: z
    .string()
    .regex(new RegExp(`^(${oneOf})(,(${oneOf}))*$`), { error: `must be of ${runStatuses.join(', ')}` })
    .optional()
    .describe('One status, or several joined by commas.'),
  trigger: z
    .string()
    .regex(/^[a-z][a-z0-9._-]{0,62}$/)
    .optional()
    .describe('A type of trigger, as `trigger.webhook`.'),
  from: z.iso.datetime({ offset: true }).optional().describe('Created then or later.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Created before.'),
  error: z
    .string()
    .regex(/^[a-z0-9_.-]{1,100}$/i)
    .optional()
    .describe('Failed runs with this error code.'),
  label: wantedLabel.optional().describe('A label, as `customer:4711`.'),
});

/** The filter of a query. */
export function filterOf(query: z.output<typeof runsQuery>): RunFilter {
  const { from, to } = query;
  return {
    workflowId: query.workflowId ?? null,
    statuses: query.status === undefined ? null : statusesOf(query.status),
    triggerKind: query.trigger ?? null,
    from: from === undefined ? null : new Date(from),
    to: to === undefined ? null : new Date(to),
    errorCode: query.error ?? null,
    label: query.label ?? null,
  };
}

function statusesOf(joined: string): readonly RunStatus[] {
  return [...new Set(z.array(status).parse(joined.split(',')))];
}
