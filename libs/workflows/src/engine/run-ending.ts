import type { JsonValue } from '../definition/json';
import type { WorkflowSettings } from '../definition/policies';
import type { NodeError } from '../nodes/node-kind';
import { endMessage } from './messages';
import type { RunEnd } from './segment';
import type { ClaimedRun } from './sql/claim-runs.sql';
import { storable } from './recorder';

/** How a run is being brought to an end before its graph is walked. */
export interface Stop {
  readonly outcome: 'failed' | 'canceled';
  readonly error: NodeError & { readonly nodeId?: string };
}

/** The database does not take a value: tried again, it would not either. */
export const notRecordable: NodeError = {
  code: 'run.result_not_recordable',
  message: 'A result of this run could not be stored; see the error log of the server.',
};

export const engineFault: NodeError = {
  code: 'run.engine_fault',
  message: 'The engine met an unexpected fault; see the error log of the server.',
};

/** The end of a run: by the stop, or with the output of its walk, should that be possible to store. */
export function runEnding(
  { claimed, settings }: { readonly claimed: ClaimedRun; readonly settings: WorkflowSettings },
  end: { readonly stop: Stop | null; readonly output: () => JsonValue },
  times: { readonly startedAt: Date; readonly finishedAt: Date },
): { readonly end: Extract<RunEnd, { kind: 'finished' }>; readonly error: Stop['error'] | null } {
  const stored = end.stop === null ? storable(end.output()) : null;
  const stop: Stop | null =
    stored && 'error' in stored ? { outcome: 'failed', error: stored.error } : end.stop;
  const outcome = stop?.outcome ?? 'succeeded';
  const error = stop?.error ?? null;
  const text = stored && 'text' in stored ? stored.text : null;
  const { parent, errorOf } = claimed.origin ?? {};
  return {
    error,
    end: {
      kind: 'finished',
      outcome,
      output: text,
      error: error ? JSON.stringify(error) : null,
      ...times,
      told: parent ? { parent, message: endMessage(outcome, text, error) } : null,
      // A run that tells of a failure and fails itself is not told of: that would never end.
      errorWorkflowId: errorOf === undefined ? (settings.errorWorkflowId ?? null) : null,
    },
  };
}
