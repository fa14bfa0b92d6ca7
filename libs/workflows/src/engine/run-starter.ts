import { AppError, Batcher, type Clock, type Db, type Ids, isOutage, type Logger, type Tx } from '#platform';
import { runErrors } from '../errors';
import type { AdmissionRefusal, RunAdmission } from '../ports';
import { channels } from './channels';
import type { Gatekeeper } from './gatekeeper';
import { notify } from './sql/notify.sql';
import {
  claimStartKeys,
  claimStartKeysParams,
  giveUpStartKeys,
  readStartKeys,
  releaseStartKeys,
  type StartKey,
} from './sql/start-keys.sql';
import { joined } from './sql/columns';
import { type LetterTaken, type Requeue, repeatedRequeues, settleRequeues, takenLetters } from './requeue';
import type { RunOrigin } from './run-origin';
import { copyResults, type NewRun, startRuns, startRunsParams } from './sql/start-runs.sql';
import { type GuardedStart, type Runaway, StartGuard } from './start-guard';
import { startMetrics } from './start-metrics';
import { type EngineLimits, isLimited, type WorkspaceLimits } from './workspace-limits';

/** A run somebody wants to start. `input` is JSON text. */
export interface StartRequest {
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly versionId: string;
  readonly triggerNode: string;
  readonly triggerKind: string;
  readonly startedBy: string;
  readonly input: string;
  /** Name and value of each label; null for none. */
  readonly labels?: Readonly<Record<string, string>> | null;
  /** At most one run comes of requests with the same key; the hash tells whether they asked for the same. */
  readonly idempotency: StartIdempotency | null;
  readonly origin?: RunOrigin;
  /** Results of another run that this one begins behind, by node id. */
  readonly resultsOf?: { readonly runId: string; readonly nodeIds: readonly string[] };
  /** Among the runs of the workspace; `normal` unless something else is said. */
  readonly priority?: RunPriority;
  /** The slots that the run needs before it begins; null or nothing when its workflow asks for none. */
  readonly concurrency?: { readonly keyHash: string; readonly limit: number } | null;
  /** How many starts of the workflow its author allows in any minute. */
  readonly maxStartsPerMinute?: number | null;
  /** The failed run that this one takes up; it needs no other key. */
  readonly requeue?: Requeue;
}

export interface StartIdempotency {
  readonly key: string;
  readonly requestHashHex: string;
  /** The key is kept for good; by default for a day. */
  readonly lasting?: boolean;
  /** Of a lasting key: it is given up after so many seconds, to the instant. */
  readonly windowSeconds?: number;
}

export type RunPriority = 'low' | 'normal' | 'high';

const PRIORITIES = { low: -1, normal: 0, high: 1 } as const;

/** What came of it. */
export type StartResult =
  | { readonly kind: 'started'; readonly runId: string; readonly createdAt: Date }
  | { readonly kind: 'replayed'; readonly runId: string }
  | { readonly kind: 'key_reused' }
  | LetterTaken
  | { readonly kind: 'refused'; readonly refusal: AdmissionRefusal }
  | { readonly kind: 'runaway'; readonly runaway: Runaway };

/** The door to starts in a transaction that writes other rows as well: answers in the order of the requests. */
export type StartIn = (requests: readonly StartRequest[]) => Promise<readonly StartResult[]>;

type Answer = StartResult | { readonly kind: 'failed'; readonly error: unknown };

/** A request on its way, with the id its run would get. */
interface Candidate {
  readonly request: StartRequest;
  readonly runId: string;
  readonly key: StartKey | null;
  readonly limits: EngineLimits;
}

/** A start with the key, or for the letter, of an earlier one in its batch, and whether it asks for the same. */
interface Follower {
  readonly first: Candidate;
  readonly same: boolean;
}

/** A workspace that is gone has no plan; its start fails by itself. */
const NO_LIMITS: EngineLimits = {
  concurrentRuns: null,
  concurrentRunsPerWorkflow: null,
  startsPerFiveMinutes: null,
  retentionDays: 1,
};

/**
 * Starts runs of one cell, many in one transaction (group commit): keys, then the guard, then quota, then the runs.
 * When the transaction is committed the runs are accepted and will be executed whatever happens; before that nothing
 * has happened, the counter included.
 */
export class RunStarter {
  readonly #batcher: Batcher<StartRequest, Answer>;

  constructor(
    private readonly services: {
      readonly db: Db;
      readonly ids: Ids;
      readonly clock: Clock;
      readonly logger: Logger;
      readonly admission: RunAdmission;
      readonly limits: WorkspaceLimits;
      readonly gatekeeper: Gatekeeper;
      /** New work was committed. */
      readonly started: () => void;
    },
    private readonly cellId: string,
  ) {
    this.#batcher = new Batcher({
      maxBatch: 500,
      maxInFlight: 2,
      flush: (requests) => this.#flush(requests),
    });
  }

  /** Accepts a run durably. Rejects when the database could not be reached; then it is unknown whether it started. */
  async start(request: StartRequest): Promise<StartResult> {
    const answer = await this.#batcher.submit(request);
    if (answer.kind === 'failed') throw answer.error;
    return answer;
  }

  /**
   * Starts runs of these workspaces together with other rows, in one transaction: all of it happens, or nothing. `work`
   * may be performed more than once. It asks for starts once, after it has taken its own locks: those of starts come last.
   */
  async startWith<T>(
    workspaceIds: readonly string[],
    work: (tx: Tx, start: StartIn) => Promise<T>,
  ): Promise<T> {
    const prepared = await this.#prepare(workspaceIds);
    return this.services.db.cell(this.cellId, async (tx) =>
      work(tx, async (requests) => {
        const candidates = this.#candidates(requests, prepared);
        const results = await this.#start(tx, candidates);
        tx.afterCommit(() => this.#tell(results));
        return candidates.map((candidate) => resultOf(results, candidate));
      }),
    );
  }

  async #flush(requests: readonly StartRequest[]): Promise<readonly Answer[]> {
    try {
      return await this.#startTogether(requests);
    } catch (error) {
      if (requests.length === 1 || isOutage(error)) return requests.map(() => ({ kind: 'failed', error }));
      // One bad request fails the transaction of all: each is tried alone, so that only the guilty one pays.
      const alone: Answer[] = [];
      for (const request of requests) alone.push(...(await this.#flush([request])));
      return alone;
    }
  }

  #startTogether(requests: readonly StartRequest[]): Promise<readonly StartResult[]> {
    const workspaceIds = requests.map(({ workspaceId }) => workspaceId);
    return this.startWith(workspaceIds, (_tx, start) => start(requests));
  }

  /** Whatever has to be looked up elsewhere, before the transaction. */
  async #prepare(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, EngineLimits>> {
    const distinct = [...new Set(workspaceIds)];
    await this.services.admission.prepare(distinct);
    return this.services.limits.of(distinct);
  }

  #candidates(
    requests: readonly StartRequest[],
    limits: ReadonlyMap<string, EngineLimits>,
  ): readonly Candidate[] {
    return requests.map((request): Candidate => {
      const runId = this.services.ids.next();
      const { workflowId, workspaceId, idempotency } = request;
      const key = idempotency && {
        workflowId,
        workspaceId,
        runId,
        lasting: false,
        windowSeconds: null,
        ...idempotency,
      };
      return { request, runId, key, limits: limits.get(workspaceId) ?? NO_LIMITS };
    });
  }

  async #start(tx: Tx, candidates: readonly Candidate[]): Promise<ReadonlyMap<Candidate, StartResult>> {
    const repeated = repeatedRequeues(candidates);
    const { results, followers } = await this.#settleKeys(tx, candidates);
    for (const [candidate, first] of repeated) followers.set(candidate, { first, same: true });
    await this.#decide(
      tx,
      candidates.filter((candidate) => !followers.has(candidate)),
      results,
    );
    for (const [candidate, { first, same }] of followers) {
      const result = asked(resultOf(results, first));
      results.set(candidate, result.kind === 'replayed' && !same ? { kind: 'key_reused' } : result);
    }
    return results;
  }

  /** Decides those that are left: letters, guard, quota; and starts the runs. */
  async #decide(
    tx: Tx,
    candidates: readonly Candidate[],
    results: Map<Candidate, StartResult>,
  ): Promise<void> {
    const keyed = candidates.filter((candidate) => !results.has(candidate));
    for (const [candidate, taken] of await takenLetters(tx, keyed)) results.set(candidate, taken);
    const fresh = candidates.filter((candidate) => !results.has(candidate));
    if (fresh.length === 0) return;
    const guard = await StartGuard.open(tx, this.services.clock, fresh.map(guardedStart));
    const passed = fresh.filter((candidate) => {
      const runaway = guard.judge(guardedStart(candidate));
      if (runaway) results.set(candidate, { kind: 'runaway', runaway });
      return !runaway;
    });
    const { admitted, refused } = await this.#admit(tx, passed);
    for (const [candidate, refusal] of refused) results.set(candidate, { kind: 'refused', refusal });
    await releaseKeys(
      tx,
      fresh.filter((candidate) => results.has(candidate)),
    );
    if (admitted.length === 0) return;
    await guard.count(tx, admitted.map(guardedStart));
    const created = new Map<string, Date>();
    const rows = await tx.query(
      startRuns,
      ...startRunsParams(admitted.map(newRun), this.services.clock.pinned()),
    );
    for (const { runId, createdAt } of rows) created.set(runId, createdAt);
    for (const candidate of admitted) {
      const createdAt = created.get(candidate.runId);
      if (!createdAt) throw new Error(`Run ${candidate.runId} was not created.`);
      results.set(candidate, { kind: 'started', runId: candidate.runId, createdAt });
    }
    for (const candidate of admitted) {
      await this.#copyResults(tx, candidate);
    }
    await settleRequeues(tx, admitted, this.services.clock.pinned());
    await tx.query(notify, channels.work(this.cellId), '');
  }

  /** After the commit: wakes whoever has something to do now, and leaves a trace of what has run away. */
  #tell(results: ReadonlyMap<Candidate, StartResult>): void {
    const { started, gatekeeper, logger } = this.services;
    const runaways = new Map<string, { readonly runaway: Runaway; starts: number }>();
    let queued = false;
    for (const [{ request, limits }, result] of results) {
      if (result.kind === 'started') {
        const keyHash = request.concurrency?.keyHash ?? null;
        if (keyHash !== null || isLimited(limits)) gatekeeper.arrived(request.workspaceId, keyHash);
        else queued = true;
      }
      if (result.kind !== 'runaway') continue;
      const { runaway } = result;
      startMetrics.runaway.inc({ scope: runaway.scope });
      const known = runaways.get(runaway.scopeId);
      if (known) known.starts += 1;
      else runaways.set(runaway.scopeId, { runaway, starts: 1 });
    }
    if (queued) started();
    for (const { runaway, starts } of runaways.values()) {
      logger.warn('starts were refused: too many in a short time', { ...runaway, starts });
    }
  }

  /**
   * Decides the candidates whose key stands for another run already; the others hold their key from here on, or follow one
   * of the same batch that does: what becomes of that one is not known yet.
   */
  async #settleKeys(
    tx: Tx,
    candidates: readonly Candidate[],
  ): Promise<{ results: Map<Candidate, StartResult>; followers: Map<Candidate, Follower> }> {
    const results = new Map<Candidate, StartResult>();
    const followers = new Map<Candidate, Follower>();
    const keys = keysOf(candidates);
    if (keys.length === 0) return { results, followers };
    const now = this.services.clock.pinned();
    await giveUpKeys(tx, keys, now);
    await tx.query(claimStartKeys, ...claimStartKeysParams(keys, now));
    const held = await tx.query(
      readStartKeys,
      joined(keys, (key) => key.workflowId),
      joined(keys, (key) => Buffer.from(key.key).toString('hex')),
    );
    const holders = new Map(held.map((holder) => [`${holder.workflowId} ${holder.key}`, holder]));
    const mates = new Map(candidates.map((candidate) => [candidate.runId, candidate]));
    for (const candidate of candidates) {
      const { key } = candidate;
      const holder = key && holders.get(`${key.workflowId} ${key.key}`);
      if (!key || !holder || holder.runId === candidate.runId) continue;
      const same = holder.requestHashHex === key.requestHashHex;
      const first = mates.get(holder.runId);
      if (first) followers.set(candidate, { first, same });
      else results.set(candidate, same ? { kind: 'replayed', runId: holder.runId } : { kind: 'key_reused' });
    }
    return { results, followers };
  }

  /** A result that is missing would be executed anew, and with it its effect: rather the run does not start. */
  async #copyResults(tx: Tx, { request: { resultsOf }, runId, limits }: Candidate): Promise<void> {
    if (!resultsOf) return;
    const now = this.services.clock.pinned();
    const { runId: fromRunId, nodeIds } = resultsOf;
    const copied = await tx.query(copyResults, runId, fromRunId, nodeIds, now, limits.retentionDays);
    if (copied.length === nodeIds.length) return;
    throw new AppError(runErrors.results_gone, {
      detail:
        'Results of the earlier run are not kept any more, so nothing can begin behind them. Rerun it whole.',
    });
  }

  /** Asks quota for each workspace once, and hands out what it grants in the order of arrival. */
  async #admit(tx: Tx, fresh: readonly Candidate[]) {
    const wanted = new Map<string, number>();
    for (const { request } of fresh) {
      wanted.set(request.workspaceId, (wanted.get(request.workspaceId) ?? 0) + 1);
    }
    const requests = [...wanted].map(([workspaceId, runs]) => ({ workspaceId, runs }));
    const answers = await this.services.admission.admit(tx, requests);
    const left = new Map([...answers].map(([workspaceId, { granted }]) => [workspaceId, granted]));
    const admitted: Candidate[] = [];
    const refused = new Map<Candidate, AdmissionRefusal>();
    for (const candidate of fresh) {
      const { workspaceId } = candidate.request;
      const remaining = left.get(workspaceId) ?? 0;
      const refusal = answers.get(workspaceId)?.refusal;
      if (remaining > 0) admitted.push(candidate);
      else if (refusal) refused.set(candidate, refusal);
      else throw new Error(`Quota gave no answer for workspace ${workspaceId}.`);
      left.set(workspaceId, remaining - 1);
    }
    return { admitted, refused };
  }
}

function keysOf(candidates: readonly Candidate[]): readonly StartKey[] {
  return candidates.flatMap(({ key }) => (key ? [key] : []));
}

/** A purge comes now and then; a window is over at its end. */
async function giveUpKeys(tx: Tx, keys: readonly StartKey[], now: Date | null): Promise<void> {
  const windowed = keys.filter(({ windowSeconds }) => windowSeconds !== null);
  if (windowed.length === 0) return;
  await tx.query(
    giveUpStartKeys,
    joined(windowed, (key) => key.workflowId),
    joined(windowed, (key) => Buffer.from(key.key).toString('hex')),
    now,
  );
}

async function releaseKeys(tx: Tx, refused: readonly Candidate[]): Promise<void> {
  const keys = keysOf(refused);
  if (keys.length === 0) return;
  await tx.query(
    releaseStartKeys,
    joined(keys, (key) => key.workflowId),
    joined(keys, (key) => Buffer.from(key.key).toString('hex')),
    joined(keys, (key) => key.runId),
  );
}

/** What was asked for twice and has just started. */
function asked(result: StartResult): StartResult {
  return result.kind === 'started' ? { kind: 'replayed', runId: result.runId } : result;
}

function newRun({ request, runId, limits }: Candidate): NewRun {
  const { priority = 'normal', concurrency = null, origin, labels } = request;
  return {
    ...request,
    runId,
    priority: PRIORITIES[priority],
    limited: isLimited(limits),
    concurrency,
    retentionDays: limits.retentionDays,
    labels: labels && Object.keys(labels).length > 0 ? JSON.stringify(labels) : null,
    origin: origin ? JSON.stringify(origin) : null,
  };
}

function guardedStart({ request, limits }: Candidate): GuardedStart {
  const { workspaceId, workflowId, maxStartsPerMinute = null } = request;
  const { startsPerFiveMinutes } = limits;
  return { workspaceId, workflowId, startsPerMinute: maxStartsPerMinute, startsPerFiveMinutes };
}

function resultOf(results: ReadonlyMap<Candidate, StartResult>, candidate: Candidate): StartResult {
  const result = results.get(candidate);
  if (!result) throw new Error('A start was neither accepted nor refused.');
  return result;
}
