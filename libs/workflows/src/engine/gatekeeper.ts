import { Batcher, type Db, type Logger, type LoopResult } from '#platform';
import { channels } from './channels';
import { PausedRuns } from './paused-runs';
import {
  ensureGates,
  grantKeys,
  grantKeysParams,
  type KeyGroup,
  letThrough,
  listGated,
  listKeyed,
  listWaiting,
  lockFreeGates,
  lockGates,
  type Passed,
} from './sql/gates.sql';
import { notify } from './sql/notify.sql';
import type { WorkspaceLimits } from './workspace-limits';

/** Workspaces of one pass: bounds how long their gates are locked. */
const PASS_WORKSPACES = 50;
/** Runs that one statement lets through. */
const PASS_RUNS = 500;
/** What one sweep looks at; the next goes on behind it. */
const SWEEP_WORKSPACES = 200;
const SWEEP_KEYS = 1_000;
/** Workspaces whose gates are known to exist. */
const MAX_KNOWN = 100_000;

/** Something that may let runs through: a workspace's places, a key's slots, a workflow that goes on. */
interface Change {
  readonly workspaceId: string;
  readonly keyHash: string | null;
  readonly resumedWorkflowId: string | null;
}

/**
 * Lets runs through that limits have kept back: first slots of keys, then places of workflows and workspaces.
 *
 * A pass locks the gate of its workspace and counts afterwards, so two passes never give the same place away. Leaving
 * takes no lock: it only frees. No freed place is forgotten: whoever frees one, or brings a run to the gate, commits and
 * then asks for a pass, which waits for the lock; a pass that holds it meanwhile may have counted before that commit, and
 * skipping it would lose the place. Those who die between commit and pass are what the sweep is for, which may skip.
 */
export class Gatekeeper {
  readonly #changes: Batcher<Change, void>;
  readonly #paused: PausedRuns;
  readonly #known = new Set<string>();
  #afterWorkspace: string | null = null;
  #afterKey: KeyGroup | null = null;

  constructor(
    private readonly services: {
      readonly db: Db;
      readonly logger: Logger;
      readonly limits: WorkspaceLimits;
      /** Runs were let through. */
      readonly admitted: () => void;
    },
    private readonly cellId: string,
  ) {
    this.#changes = new Batcher<Change, void>({
      maxBatch: 500,
      maxInFlight: 1,
      flush: (changes) => this.#answer(changes),
    });
    this.#paused = new PausedRuns(services.db, cellId);
  }

  /** A run has given up its place, or the slot of its key. Called after the commit. */
  freed(workspaceId: string, keyHash: string | null): void {
    void this.#changes.submit({ workspaceId, keyHash, resumedWorkflowId: null });
  }

  /** A run has come to the gate. Called after the commit. */
  arrived(workspaceId: string, keyHash: string | null): void {
    void this.#changes.submit({ workspaceId, keyHash, resumedWorkflowId: null });
  }

  /** A workflow goes on. Called after the commit. Its runs that wait for keys are found by the sweep. */
  resumed(workspaceId: string, workflowId: string): void {
    void this.#changes.submit({ workspaceId, keyHash: null, resumedWorkflowId: workflowId });
  }

  /** Resolves once nothing that was told is left to do. */
  idle(): Promise<void> {
    return this.#changes.idle();
  }

  /**
   * Looks after what nobody told of, a bounded part at a time, going round: no workspace and no key is left out, however
   * many there are.
   */
  async sweep(): Promise<LoopResult> {
    const workspaceIds = await this.#nextWorkspaces();
    const groups = await this.#nextKeys();
    await this.services.limits.refresh(workspaceIds);
    let rows = await this.#paused.sweep();
    const all = [...new Set([...workspaceIds, ...groups.map(({ workspaceId }) => workspaceId)])];
    for (let index = 0; index < all.length; index += PASS_WORKSPACES) {
      const some = new Set(all.slice(index, index + PASS_WORKSPACES));
      rows += await this.#passes([...some], keysOf(groups, some), lockFreeGates);
    }
    if (rows > 0) this.services.admitted();
    return { rows };
  }

  /** Never rejects: what fails here is done by the sweep. */
  async #answer(changes: readonly Change[]): Promise<readonly undefined[]> {
    try {
      if ((await this.#letThrough(changes)) > 0) this.services.admitted();
    } catch (error) {
      this.services.logger.warn('runs at the gate wait for the next sweep', { error });
    }
    return changes.map(() => undefined);
  }

  async #letThrough(changes: readonly Change[]): Promise<number> {
    const { db } = this.services;
    let rows = 0;
    const resumed = new Set(changes.flatMap(({ resumedWorkflowId }) => resumedWorkflowId ?? []));
    for (const workflowId of resumed) rows += await this.#paused.resume(workflowId);
    // Most often nobody waits. A run that comes to the gate after this look is told of by whoever brought it.
    const told = [...new Set(changes.map(({ workspaceId }) => workspaceId))];
    const waiting = await db.execute(this.cellId, listWaiting, told);
    const groups = changes.flatMap(({ workspaceId, keyHash }) =>
      keyHash === null ? [] : { workspaceId, keyHash },
    );
    for (let index = 0; index < waiting.length; index += PASS_WORKSPACES) {
      const some = waiting.slice(index, index + PASS_WORKSPACES).map(({ workspaceId }) => workspaceId);
      rows += await this.#passes(some, keysOf(groups, new Set(some)), lockGates);
    }
    return rows;
  }

  async #passes(
    workspaceIds: readonly string[],
    groups: readonly KeyGroup[],
    lock: typeof lockGates,
  ): Promise<number> {
    await this.#ensure(workspaceIds);
    for (let rows = 0; ;) {
      const { moved, again } = await this.#pass(workspaceIds, groups, lock);
      rows += moved;
      if (!again) return rows;
    }
  }

  async #pass(workspaceIds: readonly string[], groups: readonly KeyGroup[], lock: typeof lockGates) {
    return this.services.db.cell(this.cellId, async (tx) => {
      const locked = (await tx.query(lock, workspaceIds)).map(({ workspaceId }) => workspaceId);
      if (locked.length === 0) return { moved: 0, again: false };
      this.#know(locked);
      const here = keysOf(groups, new Set(locked));
      const granted = here.length === 0 ? [] : await tx.query(grantKeys, ...grantKeysParams(here, PASS_RUNS));
      const through = await tx.query(letThrough, locked, PASS_RUNS);
      const all = [...granted, ...through];
      const moved = all.reduce((sum, passed) => sum + passed.moved, 0);
      if (moved > 0) await tx.query(notify, channels.work(this.cellId), '');
      return { moved, again: all.some(leavesMore) };
    });
  }

  async #ensure(workspaceIds: readonly string[]): Promise<void> {
    const unknown = workspaceIds.filter((id) => !this.#known.has(id));
    if (unknown.length > 0) await this.services.db.execute(this.cellId, ensureGates, unknown);
  }

  /** Gates are deleted with their workspaces only. */
  #know(workspaceIds: readonly string[]): void {
    if (this.#known.size > MAX_KNOWN) this.#known.clear();
    for (const id of workspaceIds) this.#known.add(id);
  }

  async #nextWorkspaces(): Promise<readonly string[]> {
    const { db } = this.services;
    const found = await db.execute(this.cellId, listGated, this.#afterWorkspace, SWEEP_WORKSPACES);
    const ids = found.map(({ workspaceId }) => workspaceId);
    this.#afterWorkspace = ids.length === SWEEP_WORKSPACES ? (ids.at(-1) ?? null) : null;
    return ids;
  }

  async #nextKeys(): Promise<readonly KeyGroup[]> {
    const { db } = this.services;
    const { workspaceId = null, keyHash = null } = this.#afterKey ?? {};
    const found = await db.execute(this.cellId, listKeyed, workspaceId, keyHash, SWEEP_KEYS);
    this.#afterKey = found.length === SWEEP_KEYS ? (found.at(-1) ?? null) : null;
    return found.filter(({ open }) => open);
  }
}

/** The groups of some workspaces, each once. */
function keysOf(groups: readonly KeyGroup[], workspaceIds: ReadonlySet<string>): readonly KeyGroup[] {
  const byKey = new Map(groups.map((group) => [group.keyHash, group]));
  return [...byKey.values()].filter(({ workspaceId }) => workspaceIds.has(workspaceId));
}

/** More could be let through: there was no end of them, or some that were chosen were gone. */
function leavesMore({ chosen, moved }: Passed): boolean {
  return chosen === PASS_RUNS || moved < chosen;
}
