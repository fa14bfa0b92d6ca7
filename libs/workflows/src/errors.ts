import { defineErrors } from '#platform';

/** What can be wrong with workflows. */
export const workflowErrors = defineErrors('workflow', {
  not_found: { kind: 'not_found', title: 'No such workflow' },
  name_taken: { kind: 'conflict', title: 'Another workflow has this name' },
  invalid_definition: { kind: 'unprocessable', title: 'The workflow cannot be published' },
  not_published: { kind: 'conflict', title: 'The workflow has no published version' },
  limit_reached: { kind: 'limit', title: 'The plan allows no more' },
  version_not_found: { kind: 'not_found', title: 'No such version' },
  version_not_published: { kind: 'conflict', title: 'Another version is the published one' },
});

/** What can be wrong with runs. */
export const runErrors = defineErrors('run', {
  not_found: { kind: 'not_found', title: 'No such run' },
  trigger_not_found: { kind: 'unprocessable', title: 'The workflow has no such trigger' },
  invalid_input: { kind: 'unprocessable', title: 'The workflow does not take this input' },
  concurrency_key_invalid: {
    kind: 'unprocessable',
    title: 'The concurrency key of the workflow gives no value for this input',
  },
  key_reused: { kind: 'unprocessable', title: 'The Idempotency-Key was used for another start' },
  refused: { kind: 'limit', title: 'The run may not start' },
  runaway: { kind: 'limit', title: 'Too many runs were started in a short time' },
  expired: { kind: 'gone', title: 'The run is older than runs are kept' },
  already_finished: { kind: 'conflict', title: 'The run is finished' },
  not_finished: { kind: 'conflict', title: 'The run is not finished yet' },
  rerun_from_invalid: { kind: 'unprocessable', title: 'The run cannot be rerun from this node' },
  results_gone: { kind: 'conflict', title: 'Results of the run are not kept any more' },
  nothing_to_decide: { kind: 'conflict', title: 'The node does not wait for a decision' },
  decision_port_unknown: { kind: 'unprocessable', title: 'The node has no such port' },
  already_decided: { kind: 'conflict', title: 'The decision was made already' },
});

/** What can be wrong with what is kept of runs that failed. */
export const deadLetterErrors = defineErrors('dead_letter', {
  not_found: { kind: 'not_found', title: 'No such dead letter' },
  already_settled: { kind: 'conflict', title: 'The dead letter was settled already' },
});

/** What can be wrong with a stream of a workspace's events. */
export const streamErrors = defineErrors('stream', {
  expired: { kind: 'gone', title: 'The stream cannot go on from there' },
});

/** What can be wrong with secrets. */
export const secretErrors = defineErrors('secret', {
  not_found: { kind: 'not_found', title: 'No such secret' },
  in_use: { kind: 'conflict', title: 'The secret is used' },
  limit_reached: { kind: 'limit', title: 'There are too many secrets' },
});

/** What can be wrong with a call of a webhook. */
export const hookErrors = defineErrors('hook', {
  not_found: { kind: 'not_found', title: 'No such webhook' },
  rejected: { kind: 'unauthenticated', title: 'The webhook does not take this call' },
  delivery_not_found: { kind: 'not_found', title: 'No such delivery' },
  not_replayable: { kind: 'conflict', title: 'The delivery cannot be replayed' },
  secret_missing: { kind: 'conflict', title: 'The webhook has no such secret' },
  secret_invalid: { kind: 'unprocessable', title: 'The secret is not of the kind that the sender uses' },
});

/** What can be wrong with a command to a schedule. */
export const scheduleErrors = defineErrors('schedule', {
  not_found: { kind: 'not_found', title: 'No such schedule' },
  retired: { kind: 'conflict', title: 'No published version has the schedule' },
  invalid_pause: { kind: 'unprocessable', title: 'The pause ends before it begins' },
});

/** What can be wrong with an answer to an approval. */
export const approvalErrors = defineErrors('approval', {
  not_found: { kind: 'not_found', title: 'No such approval' },
  closed: { kind: 'conflict', title: 'The approval is closed' },
  not_asked: { kind: 'forbidden', title: 'You are not among the approvers' },
  own_run: { kind: 'forbidden', title: 'Nobody approves a run of their own' },
  voted: { kind: 'conflict', title: 'You have answered already' },
  invalid_form: { kind: 'unprocessable', title: 'The form is not filled in correctly' },
});

/** What can be wrong with a call of a node that waits for one. */
export const callbackErrors = defineErrors('callback', {
  not_found: { kind: 'not_found', title: 'Nothing waits here' },
  over: { kind: 'gone', title: 'The run is over' },
  taken: { kind: 'conflict', title: 'The call was made before' },
  invalid_payload: { kind: 'unprocessable', title: 'The workflow does not take this' },
});
