import type { Db, Logger, Random } from '#platform';
import { HeldSecrets, noSecrets, type RunSecrets } from '../secrets/run-secrets';
import type { SecretValues } from '../secrets/secret-values.service';
import { type Checkpointer, LeaseLost } from './checkpointer';
import type { Lease } from './lease';
import type { ChildRuns } from './child-runs';
import type { ClaimedWork, ExecutionHost, RunLeft } from './claimed-work';
import { RunExecution } from './run-execution';
import type { ClaimedRun } from './sql/claim-runs.sql';
import { loadLastSeq, loadNodeRuns, type RecordedNode } from './sql/load-progress.sql';
import { type KeptSignal, loadSignals } from './sql/signals.sql';
import { unrunnable } from './unrunnable';
import type { CompiledVersion, Versions } from './versions';

/** A run that has taken its worker down so often is taken to be the reason. */
const MAX_RESCUES = 5;

/** The runs in this worker's hands. */
export class HeldRuns {
  readonly #held = new Map<string, { readonly claims: number; readonly execution: RunExecution }>();
  readonly #emptied: (() => void)[] = [];

  constructor(
    private readonly services: {
      readonly db: Db;
      readonly cellId: string;
      readonly lease: Lease;
      readonly versions: Versions;
      readonly checkpointer: Checkpointer;
      readonly logger: Logger;
      readonly children: ChildRuns;
      readonly secretValues: SecretValues;
      readonly random: Random;
      readonly callbackUrl: ExecutionHost['callbackUrl'];
      readonly left: (run: ClaimedRun, how: RunLeft) => void;
    },
  ) {}

  get size(): number {
    return this.#held.size;
  }

  has(runId: string): boolean {
    return this.#held.has(runId);
  }

  ids(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Begins or goes on with runs that were claimed under `workerId`. */
  async take(workerId: string, taken: readonly ClaimedRun[]): Promise<void> {
    if (taken.length === 0) return;
    const { versions, lease } = this.services;
    const progress = await this.#progressOf(taken.filter(({ claims }) => claims > 1));
    const claimed = taken.map((run) => ({
      ...run,
      versionId: progress.versionIds.get(run.runId) ?? run.versionId,
    }));
    const compiled = await versions.get(new Set(claimed.map(({ versionId }) => versionId)));
    const secretsOf = await this.#readSecrets(claimed, compiled);
    // The lease may have ended while we were reading; the runs are someone else's then.
    if (lease.workerId !== workerId) return;
    for (const run of claimed) {
      lease.noteTurn(run.turn);
      this.#begin(run, compiled.get(run.versionId), { ...progress, secretsOf });
    }
  }

  cancel(runId: string): void {
    this.#held.get(runId)?.execution.cancel();
  }

  /** Something has come for a run. */
  signal(runId: string, signals: readonly KeptSignal[], signalCount: number): void {
    this.#held.get(runId)?.execution.signal(signals, signalCount);
  }

  /** The lease is lost: nothing in hand may go on. */
  abandonAll(): void {
    for (const { execution } of this.#held.values()) execution.abandon();
  }

  /** Resolves once no run is held. */
  empty(): Promise<void> {
    if (this.#held.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#emptied.push(resolve);
    });
  }

  /** What these runs need of secrets, read before any of them begins: a result that comes first must be masked, too. */
  async #readSecrets(
    claimed: readonly ClaimedRun[],
    versions: ReadonlyMap<string, CompiledVersion>,
  ): Promise<(run: ClaimedRun) => RunSecrets> {
    const { secretValues: values, cellId, random } = this.services;
    const wants = new Map(
      claimed.flatMap(({ runId, versionId, workspaceId }) => {
        const { secretNames: names = [] } = versions.get(versionId) ?? {};
        return names.length === 0 ? [] : [[runId, { workspaceId, names }] as const];
      }),
    );
    if (wants.size === 0) return () => noSecrets;
    const known = await values.read(cellId, [...wants.values()]);
    return ({ runId }) => {
      const want = wants.get(runId);
      return want ? new HeldSecrets({ ...want, cellId, values, random }, known(want)) : noSecrets;
    };
  }

  #begin(
    run: ClaimedRun,
    version: CompiledVersion | undefined,
    progress: Progress & { readonly secretsOf: (run: ClaimedRun) => RunSecrets },
  ): void {
    const lastSeq = progress.lastSeq.get(run.runId) ?? 1;
    if (!version) {
      this.#giveUp(run, lastSeq);
      return;
    }
    const execution = this.#execution(run, version, {
      recorded: progress.nodes.get(run.runId) ?? [],
      signals: progress.signals.get(run.runId) ?? [],
      lastSeq,
      secrets: progress.secretsOf(run),
    });
    if (!execution) {
      this.#giveUp(run, lastSeq);
      return;
    }
    this.#held.set(run.runId, { claims: run.claims, execution });
    if (run.rescues < MAX_RESCUES) execution.begin();
    else {
      const message = `The worker holding this run was lost ${run.rescues} times, so it is not tried again.`;
      execution.fail({ code: 'run.workers_lost', message });
    }
  }

  /** Null for a run that does not fit its version; one such run must not keep the claimer from the others. */
  #execution(
    run: ClaimedRun,
    version: CompiledVersion,
    progress: Pick<ClaimedWork, 'recorded' | 'signals' | 'lastSeq' | 'secrets'>,
  ): RunExecution | null {
    const { lease, checkpointer, logger, children, callbackUrl } = this.services;
    const { graph, settings, number } = version;
    try {
      return new RunExecution(
        { claimed: run, graph, settings, versionNumber: number, ...progress },
        {
          checkpointer,
          logger,
          children,
          callbackUrl,
          now: () => lease.now(),
          surelyReached: () => lease.surelyReached(),
          standing: () => lease.standing(),
          left: (claimed, how) => this.#left(claimed, how),
        },
      );
    } catch (error) {
      logger.error('a run does not fit its version', { runId: run.runId, error });
      return null;
    }
  }

  #giveUp(run: ClaimedRun, lastSeq: number): void {
    const { lease, checkpointer, logger } = this.services;
    const message =
      'This release cannot execute the version the run is pinned to; a node type may be missing.';
    const error = { code: 'run.version_unusable', message };
    checkpointer.record(unrunnable(run, lastSeq, { error, at: lease.now() })).then(
      () =>
        this.services.left(run, {
          parkedUntil: null,
          concerns: { children: false, parent: run.origin?.parent !== undefined },
        }),
      (cause: unknown) => {
        if (!(cause instanceof LeaseLost))
          logger.error('an unusable run could not be ended', { error: cause });
      },
    );
  }

  #left(run: ClaimedRun, how: RunLeft): void {
    // Claimed anew before the answer to its parking was here, it stays in hand.
    if (this.#held.get(run.runId)?.claims === run.claims) this.#held.delete(run.runId);
    this.services.left(run, how);
    if (this.#held.size === 0) for (const resolve of this.#emptied.splice(0)) resolve();
  }

  async #progressOf(again: readonly ClaimedRun[]): Promise<Progress> {
    if (again.length === 0) return noProgress;
    const { db, cellId } = this.services;
    const ids = again.map(({ runId }) => runId);
    const nodes = byRun(await db.execute(cellId, loadNodeRuns, ids));
    const signals = byRun(await db.execute(cellId, loadSignals, ids));
    const seqs = await db.execute(cellId, loadLastSeq, ids);
    return {
      nodes,
      signals,
      lastSeq: new Map(seqs.map(({ runId, lastSeq }) => [runId, lastSeq])),
      versionIds: new Map(seqs.map(({ runId, versionId }) => [runId, versionId])),
    };
  }
}

function byRun<R extends { readonly runId: string }>(rows: readonly R[]): ReadonlyMap<string, readonly R[]> {
  const grouped = new Map<string, R[]>();
  for (const row of rows) {
    const others = grouped.get(row.runId);
    if (others) others.push(row);
    else grouped.set(row.runId, [row]);
  }
  return grouped;
}

interface Progress {
  readonly nodes: ReadonlyMap<string, readonly RecordedNode[]>;
  readonly signals: ReadonlyMap<string, readonly KeptSignal[]>;
  readonly lastSeq: ReadonlyMap<string, number>;
  /** Of runs that have waited, and may have been pinned to another version meanwhile. */
  readonly versionIds: ReadonlyMap<string, string>;
}

const noProgress: Progress = {
  nodes: new Map(),
  signals: new Map(),
  lastSeq: new Map(),
  versionIds: new Map(),
};
