import type { RunEvent } from '../engine/run-events';
import type { WhyGated } from '../engine/why-gated';
import { type RunStatus, statusOf } from '../runs/run-state';
import { failureOf, waitingFor } from '../runs/runs.dto';
import type { OpenNodeRow, QueueRow, StandingRow } from './explain.sql';

/** A queue is counted so far: beyond it the exact place says nothing. */
export const AHEAD_BOUND = 1_000;

/** What is known of a run when somebody asks why it does not go on. */
export interface Facts {
  readonly standing: StandingRow;
  /** Of a queued run; null else. */
  readonly queue: QueueRow | null;
  readonly nodes: readonly OpenNodeRow[];
  readonly executing: readonly ExecutingNode[];
  /** Of a run that limits or a pause keep back; null else. */
  readonly gate: WhyGated | null;
}

/** A node that a worker executes now. */
export interface ExecutingNode {
  readonly nodeId: string;
  readonly iteration: string;
  readonly since: string;
}

/** What one node waits for. */
export interface Pending {
  readonly nodeId: string;
  readonly iteration: string;
  readonly sentence: string;
  readonly since: string;
  readonly until: string | null;
}

export const reasons = [
  'queued',
  'no_worker',
  'gated',
  'workflow_paused',
  'concurrency_key',
  'plan_limit',
  'executing',
  'worker_lost',
  'waiting',
  'due',
  'needs_decision',
  'canceling',
  'finishing',
  'finished',
] as const;

/** Why a run stands where it stands, in words. */
export interface Explanation {
  readonly status: RunStatus;
  readonly reason: (typeof reasons)[number];
  readonly sentence: string;
  readonly since: string | null;
  readonly until: string | null;
  readonly what: readonly Pending[];
}

type Said = Omit<Explanation, 'status'>;

/**
 * The nodes that are being executed as a run's events tell: begun since somebody took the run up, and not ended. An
 * effect has no row before its result is there.
 */
export function executingNodes(events: readonly RunEvent[]): readonly ExecutingNode[] {
  const begun = new Map<string, ExecutingNode>();
  for (const { type, at, nodeId, iteration = '' } of events) {
    if (type === 'run.started' || type === 'run.resumed') begun.clear();
    if (nodeId === undefined) continue;
    const place = `${nodeId} ${iteration}`;
    if (type === 'node.started') begun.set(place, { nodeId, iteration, since: at });
    else begun.delete(place);
  }
  return [...begun.values()];
}

/** Says why a run does not go on, and what would move it. */
export function explain(facts: Facts): Explanation {
  const { outcome, state } = facts.standing;
  return { status: statusOf(outcome, state), ...said(facts) };
}

function said(facts: Facts): Said {
  const { standing } = facts;
  const { state } = standing;
  if (standing.outcome !== null) return finished(standing);
  switch (state) {
    case null:
      return { ...nothing, reason: 'finishing', sentence: 'The run is being finished at this very moment.' };
    case 'queued':
      return queued(facts);
    case 'owned':
      return owned(facts);
    case 'parked':
      return parked(facts);
    case 'undecided':
      return undecided(facts);
    case 'gated':
    case 'paused':
      return keptBack(facts);
    default:
      return state satisfies never;
  }
}

/** A run that has not been let through: by its paused workflow, its key, or the plan. */
function keptBack({ gate }: Facts): Said {
  if (gate === null) {
    return { ...nothing, reason: 'gated', sentence: 'The run is being let through at this very moment.' };
  }
  const { key, workflow, workspace, paused } = gate;
  if (paused) {
    const sentence = 'The workflow is paused, so the run does not begin or go on. Resume the workflow.';
    return { ...nothing, reason: 'workflow_paused', sentence };
  }
  if (key !== null) {
    const holders = key.holders.join(', ');
    const sentence = `Only ${runs(key.limit)} with its concurrency key may be under way at a time, from first node to end. Now under way: ${holders}. ${others(key.ahead)} It begins when one of them ends.`;
    return { ...nothing, reason: 'concurrency_key', sentence };
  }
  const full = workflow !== null && workflow.executing >= workflow.limit ? workflow : workspace;
  const whose = full === workflow ? 'of this workflow' : 'of this workspace';
  if (full === null) return { ...nothing, reason: 'gated', sentence: 'The run is let through next.' };
  const sentence = `The plan allows ${full.limit} runs ${whose} to execute at a time, and ${full.executing} do. ${others(full.ahead)} It begins when one of them waits or ends.`;
  return { ...nothing, reason: 'plan_limit', sentence };
}

function others(runs: number): string {
  return runs === 0
    ? 'It is the next.'
    : `${runs >= AHEAD_BOUND ? `At least ${AHEAD_BOUND}` : runs} come before it.`;
}

const nothing = { since: null, until: null, what: [] } as const;

function finished({ outcome, error, finishedAt }: StandingRow): Said {
  const failure = failureOf(error);
  const why = failure && outcome === 'failed' ? `: ${failure.message}` : '.';
  return {
    ...nothing,
    reason: 'finished',
    sentence: `The run has ${outcome === 'canceled' ? 'been canceled' : `${outcome}`}${why} Nothing moves it any more; a rerun begins a new one.`,
    since: finishedAt?.toISOString() ?? null,
  };
}

function queued({ standing: { createdAt, cancelRequestedAt, startedAt }, queue }: Facts): Said {
  const { ahead, workers } = queue ?? { ahead: 0, workers: 0 };
  const since = (startedAt === null ? createdAt : null)?.toISOString() ?? null;
  if (workers === 0) {
    const sentence =
      'The run waits in the queue, and no worker lives that could take it. It goes on as soon as one is started.';
    return { ...nothing, reason: 'no_worker', sentence, since };
  }
  if (cancelRequestedAt !== null)
    return canceling(cancelRequestedAt, 'The next worker that takes it ends it.');
  return { ...nothing, reason: 'queued', sentence: `The run waits for its turn: ${before(ahead)}.`, since };
}

function before(ahead: number): string {
  if (ahead === 0) return 'it is the next one that a worker takes';
  if (ahead >= AHEAD_BOUND) return `${AHEAD_BOUND} or more runs go before it`;
  return `${ahead} ${ahead === 1 ? 'run goes' : 'runs go'} before it`;
}

function owned(facts: Facts): Said {
  const { standing, executing, nodes } = facts;
  const { workerHost, workerPid, leaseUntil, leaseIsOver, cancelRequestedAt } = standing;
  const worker = `the worker ${workerPid} on ${workerHost}`;
  const running = executing.map(({ nodeId, iteration, since }): Pending => ({
    nodeId,
    iteration,
    sentence: `The node "${nodeId}" is being executed.`,
    since,
    until: null,
  }));
  const what = [...running, ...nodes.filter(isPending).map(pendingOf)];
  const since = running[0]?.since ?? null;
  if (leaseIsOver) {
    const who = workerHost === null ? 'a worker that is gone' : `${worker}, which has not been heard of`;
    const sentence = `The run is in the hands of ${who}. Another worker takes it over within seconds, if one lives.`;
    return { reason: 'worker_lost', sentence, since: leaseUntil?.toISOString() ?? null, until: null, what };
  }
  if (cancelRequestedAt !== null) {
    return { ...canceling(cancelRequestedAt, `It is in the hands of ${worker}, which stops it.`), what };
  }
  const doing = running.length === 0 ? 'is at its nodes' : `executes ${named(executing)}`;
  return {
    reason: 'executing',
    sentence: `The run is under way: ${worker} ${doing}.`,
    since,
    until: null,
    what,
  };
}

function parked({ standing: { resumeAt, now }, nodes }: Facts): Said {
  const what = nodes.filter(isPending).map(pendingOf);
  const since = what[0]?.since ?? null;
  const until = resumeAt?.toISOString() ?? null;
  if (resumeAt !== null && resumeAt <= now) {
    const sentence = 'The time that the run waited for has come; the next worker with room takes it up.';
    return { reason: 'due', sentence, since, until, what };
  }
  const moves =
    resumeAt === null ? 'Only what it waits for moves it.' : `It goes on at ${until} at the latest.`;
  const [first] = what;
  const sentence = what.length === 1 && first ? first.sentence : `The run waits for ${what.length} nodes.`;
  return { reason: 'waiting', sentence: `${sentence} ${moves}`, since, until, what };
}

function undecided({ standing: { resumeAt }, nodes }: Facts): Said {
  const what = nodes.filter((node) => node.state?.kind === 'decision').map(pendingOf);
  const which = named(what);
  const sentence = `A worker was lost while it executed ${which}, which may not be repeated without asking. Nothing goes on before somebody decides: POST …/decide.`;
  return {
    reason: 'needs_decision',
    sentence,
    since: what[0]?.since ?? null,
    until: resumeAt?.toISOString() ?? null,
    what,
  };
}

function canceling(askedAt: Date, how: string): Said {
  const sentence = `Somebody has asked the run to stop. ${how}`;
  return { ...nothing, reason: 'canceling', sentence, since: askedAt.toISOString() };
}

function named(nodes: readonly { readonly nodeId: string }[]): string {
  const names = [...new Set(nodes.map(({ nodeId }) => `"${nodeId}"`))];
  return `${names.length === 1 ? 'the node' : 'the nodes'} ${names.join(', ')}`;
}

/** A loop waits for its items, and what is executed is told by the events. */
function isPending({ state }: OpenNodeRow): boolean {
  return state !== null && state.kind !== 'loop' && state.kind !== 'attempt';
}

function pendingOf(node: OpenNodeRow): Pending {
  const { nodeId, iteration, state, startedAt, resumeAt } = node;
  const isDecision = state?.kind === 'decision';
  return {
    nodeId,
    iteration,
    sentence: `The node "${nodeId}"${iteration === '' ? '' : ` (${iteration})`} ${what(node)}.`,
    since: (isDecision && state.evidence?.startedAt) || startedAt.toISOString(),
    until: resumeAt?.toISOString() ?? null,
  };
}

function what({ state, resumeAt, attempts }: OpenNodeRow): string {
  const until = resumeAt === null ? '' : ` until ${resumeAt.toISOString()}`;
  const kind = waitingFor(state);
  switch (kind) {
    case null:
      return 'is being executed';
    case 'time':
      return `waits${until}`;
    case 'callback':
      return `waits for a call of its address${until}`;
    case 'approval':
      return `waits for an approval${until}`;
    case 'run':
      return `waits for the end of the run ${state?.runId}${until}`;
    case 'retry':
      return `failed at attempt ${attempts} (${failureOf(state?.error)?.message ?? 'no reason is known'}) and is tried again at ${resumeAt?.toISOString()}`;
    case 'decision':
      return `was interrupted at attempt ${attempts} and waits for a person to decide`;
    case 'items':
      return 'goes through its items';
    default:
      return kind satisfies never;
  }
}

function runs(count: number): string {
  return count === 1 ? 'one run' : `${count} runs`;
}
