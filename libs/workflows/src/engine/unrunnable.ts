import type { NodeError } from '../nodes/node-kind';
import type { Recording } from './checkpointer';
import { endMessage } from './messages';
import { Recorder } from './recorder';
import type { ClaimedRun } from './sql/claim-runs.sql';

/** Ends a run whose version cannot be executed by this release: it fails with a reason that people can read. */
export function unrunnable(
  claimed: ClaimedRun,
  lastSeq: number,
  { error, at }: { readonly error: NodeError; readonly at: Date },
): Recording {
  const recorder = new Recorder(claimed, { lastSeq, rescued: false });
  recorder.event('run.failed', at, { error: { code: error.code, message: error.message } });
  const { parent } = claimed.origin ?? {};
  recorder.end({
    kind: 'finished',
    outcome: 'failed',
    output: null,
    error: JSON.stringify(error),
    startedAt: at,
    finishedAt: at,
    told: parent ? { parent, message: endMessage('failed', null, error) } : null,
    errorWorkflowId: null,
  });
  return { runId: claimed.runId, take: () => recorder.take() };
}
