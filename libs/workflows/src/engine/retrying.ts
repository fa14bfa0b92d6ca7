import type { CompiledRetry, GraphNode } from '../definition/graph';
import type { JsonValue } from '../definition/json';
import type { ExpressionScope } from '../expressions/scope';
import { resolve } from '../expressions/template';
import { fractionOf } from '../nodes/fraction-of';
import type { NodeError, NodeFailure } from '../nodes/node-kind';

/** An attempt that failed. */
export interface FailedAttempt {
  readonly node: GraphNode;
  readonly failure: NodeFailure;
  /** 1 for the first. */
  readonly attempt: number;
  /** Of this node in this run: what the jitter is drawn from, so that a repeated decision is the same. */
  readonly key: string;
}

/** Whether a failed attempt is followed by another one, and when; or how it fails when the author's rule is broken. */
export type Verdict =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'give up'; readonly error: NodeError };

/** Says what follows a failed attempt. Answers at once unless the author's own condition takes time. Never throws. */
export function verdictOn(
  failed: FailedAttempt,
  scopeWithError: () => ExpressionScope,
): Verdict | Promise<Verdict> {
  const { node, failure, attempt } = failed;
  const { retry } = node.policy;
  const giveUp: Verdict = { kind: 'give up', error: failure.error };
  if (retry === null || attempt >= retry.attempts) return giveUp;
  const again: Verdict = { kind: 'retry', delayMs: delayOf(retry, failed) };
  if (retry.retryIf === null) return failure.retryable === false ? giveUp : again;
  try {
    const wanted = resolve(retry.retryIf, scopeWithError());
    if (!(wanted instanceof Promise)) return answered(wanted, again, giveUp);
    return wanted.then((value) => answered(value, again, giveUp)).catch(() => giveUp);
  } catch {
    return giveUp;
  }
}

/** The error of the attempt stays what people see; a condition that gives anything but true does not hide it. */
function answered(wanted: JsonValue, again: Verdict, giveUp: Verdict): Verdict {
  return wanted === true ? again : giveUp;
}

function delayOf(retry: CompiledRetry, { attempt, failure, key }: FailedAttempt): number {
  const grown =
    retry.backoff === 'exponential' ? retry.delaySeconds * 2 ** (attempt - 1) : retry.delaySeconds;
  const seconds = Math.min(grown, retry.maxDelaySeconds);
  const jittered = retry.jitter ? seconds * (1 - fractionOf(`${key}:${attempt}`) / 2) : seconds;
  return Math.round(Math.max(jittered, failure.retryAfterSeconds ?? 0) * 1000);
}
