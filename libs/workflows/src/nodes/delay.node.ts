import { z } from 'zod';
import type { NodeExecution, NodeKind, NodeOutcome } from './node-kind';

export interface DelayParams {
  /** May be a fraction, as 0.5. */
  readonly seconds?: number | undefined;
  /** ISO 8601 with an offset or `Z`. */
  readonly until?: string | undefined;
}

/** Five years, of which two may be leap years. */
const longestDelaySeconds = (5 * 365 + 2) * 24 * 60 * 60;

const params = z
  .strictObject({
    seconds: z.number().min(0).max(longestDelaySeconds).optional(),
    until: z.iso.datetime({ offset: true }).optional(),
  })
  .superRefine(({ seconds, until }, context) => {
    if ((seconds === undefined) !== (until === undefined)) return;
    context.addIssue({ code: 'custom', message: 'must have either `seconds` or `until`, and not both' });
  });

/** Waits for a duration or until an instant. Nothing is held meanwhile, so years are as cheap as seconds. */
export const delayNode: NodeKind<DelayParams> = {
  type: 'delay',
  title: 'Delay',
  description: 'Waits for a number of seconds, or until an instant. At most five years.',
  role: 'action',
  purity: 'pure',
  params,
  ports: () => ['out'],
  execute: waitFor,
  resume: ({ now }) => ({ kind: 'done', output: { resumedAt: now.toISOString() } }),
};

function waitFor({ params: { seconds, until }, now }: NodeExecution<DelayParams>): NodeOutcome {
  const startMs = now.getTime();
  const endMs = until === undefined ? startMs + Math.round((seconds ?? 0) * 1000) : Date.parse(until);
  if (endMs - startMs > longestDelaySeconds * 1000) {
    const message = `The delay would last until ${until}, which is more than five years from now. Choose an earlier instant.`;
    return { kind: 'failed', error: { code: 'node.delay_too_long', message } };
  }
  return { kind: 'wait', resumeAt: new Date(Math.max(endMs, startMs)) };
}
