import type { JsonObject, JsonValue } from '../definition/json';
import { isJsonObject } from '../definition/json-guards';
import type { NodeDone, NodeError, NodeFailure } from '../nodes/node-kind';

/** What the caller of a run is told of its end, as JSON text. `output` is JSON text already. */
export function endMessage(
  outcome: 'succeeded' | 'failed' | 'canceled',
  output: string | null,
  error: NodeError | null,
): string {
  return `{"outcome":"${outcome}","output":${output ?? 'null'},"error":${JSON.stringify(error)}}`;
}

/** What the end of a run means for the node that called it. */
export function childOutcome(runId: string, message: JsonValue | undefined): NodeDone | NodeFailure {
  const { outcome, output, error } = objectOf(message);
  if (outcome === 'succeeded') return { kind: 'done', output: { runId, output: output ?? null } };
  const reason = errorOf(error);
  const isCanceled = outcome === 'canceled';
  const what = isCanceled ? 'was canceled.' : `failed: ${reason.message}`;
  return {
    kind: 'failed',
    error: {
      code: isCanceled ? 'node.child_canceled' : 'node.child_failed',
      message: `The run ${runId} that this node called ${what}`,
      details: { runId, code: reason.code },
    },
  };
}

/** What a person may say about an attempt that was interrupted. */
export type Decision = 'repeat' | 'skip' | 'fail';

/** Reads a decision; the door through which it came has checked it. The outcome is null for an attempt to be repeated. */
export function decisionOf(message: JsonValue | undefined): {
  readonly decision: Decision;
  readonly by: string;
  readonly outcome: NodeDone | NodeFailure | null;
} {
  const { decision, by, value, port } = objectOf(message);
  const who = typeof by === 'string' ? by : '';
  if (decision === 'repeat') return { decision, by: who, outcome: null };
  if (decision === 'skip') {
    const ports = [typeof port === 'string' ? port : 'out'];
    return { decision, by: who, outcome: { kind: 'done', output: value ?? null, ports } };
  }
  const text = 'The node was interrupted, and a person decided that it failed.';
  const error = { code: 'node.decided_to_fail', message: text, details: { by: who } };
  return { decision: 'fail', by: who, outcome: { kind: 'failed', error, retryable: false } };
}

function errorOf(error: JsonValue | undefined): { readonly code: string; readonly message: string } {
  const { code, message } = objectOf(error);
  return {
    code: typeof code === 'string' ? code : 'run.failed',
    message: typeof message === 'string' ? message : 'It gave no reason.',
  };
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return value !== undefined && isJsonObject(value) ? value : {};
}
