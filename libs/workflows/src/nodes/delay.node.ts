import { z } from 'zod';
import { longestSeconds } from '../definition/policies';
import { fractionOf } from './fraction-of';
import type { NodeExecution, NodeKind, NodeOutcome } from './node-kind';

export interface DelayParams {
  /** May be a fraction, as 0.5. */
  readonly seconds?: number | undefined;
  /** ISO 8601, as `PT90S`, `PT15M`, `P2DT6H`. A day has 24 hours. */
  readonly duration?: string | undefined;
  /** ISO 8601 with an offset or `Z`. */
  readonly until?: string | undefined;
  readonly jitterSeconds?: number | undefined;
}

const DURATION =
  /^P(?=.)(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,3})?)S)?)?$/;

const params = z
  .strictObject({
    seconds: z.number().min(0).max(longestSeconds).optional(),
    duration: z
      .string()
      .max(64)
      .refine((text) => secondsOf(text) !== null, {
        error: 'must be an ISO 8601 duration of weeks, days, hours, minutes and seconds, as `P2DT6H`',
      })
      .optional(),
    until: z.iso.datetime({ offset: true }).optional(),
    jitterSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .optional()
      .describe('The wait is longer by a random part of this, so that many runs do not go on at once.'),
  })
  .superRefine(({ seconds, duration, until }, context) => {
    if ([seconds, duration, until].filter((given) => given !== undefined).length === 1) return;
    context.addIssue({ code: 'custom', message: 'must have one of `seconds`, `duration` and `until`' });
  });

/** Waits for a duration or until an instant. Nothing is held meanwhile, so years are as cheap as seconds. */
export const delayNode: NodeKind<DelayParams> = {
  type: 'delay',
  title: 'Delay',
  description: 'Waits for a duration, or until an instant. At most five years.',
  role: 'action',
  purity: 'pure',
  params,
  ports: () => ['out'],
  execute: waitFor,
  resume: ({ now }) => ({ kind: 'done', output: { resumedAt: now.toISOString() } }),
};

function waitFor({ params: given, now, idempotencyKey }: NodeExecution<DelayParams>): NodeOutcome {
  const { seconds, duration, until, jitterSeconds = 0 } = given;
  const startMs = now.getTime();
  const wantedSeconds = seconds ?? (duration === undefined ? 0 : (secondsOf(duration) ?? 0));
  const endMs = until === undefined ? startMs + Math.round(wantedSeconds * 1000) : Date.parse(until);
  if (endMs - startMs > longestSeconds * 1000) {
    const message = `The delay would last until ${new Date(endMs).toISOString()}, which is more than five years from now. Choose a shorter one.`;
    return { kind: 'failed', error: { code: 'node.delay_too_long', message }, retryable: false };
  }
  const jitterMs = Math.round(jitterSeconds * 1000 * fractionOf(idempotencyKey));
  return { kind: 'wait', on: 'time', resumeAt: new Date(Math.max(endMs, startMs) + jitterMs) };
}

/** The length of a duration; null when it is none. */
function secondsOf(text: string): number | null {
  const found = DURATION.exec(text);
  if (found === null) return null;
  const [weeks, days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0));
  return (
    (weeks ?? 0) * 604_800 +
    (days ?? 0) * 86_400 +
    (hours ?? 0) * 3_600 +
    (minutes ?? 0) * 60 +
    (seconds ?? 0)
  );
}
