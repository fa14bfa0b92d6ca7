import type { Clock, Db } from '#platform';
import type { RunLimits, WorkspaceRunLimits } from '../ports';
import { storeGates, storeGatesParams } from './sql/gates.sql';

/** A change of plan is known everywhere after so long. */
const MAX_AGE_MS = 5_000;
/** An entry is some 200 bytes. */
const MAX_ENTRIES = 50_000;

/** The part of a plan that the engine of a cell holds. */
export type EngineLimits = Pick<
  WorkspaceRunLimits,
  'concurrentRuns' | 'concurrentRunsPerWorkflow' | 'startsPerFiveMinutes' | 'retentionDays'
>;

/**
 * What plans allow the workspaces of one cell, a little old at most. The figures that the gate goes by are noted in the
 * cell before anything is limited by them, so that all processes let through by the same ones.
 */
export class WorkspaceLimits {
  readonly #known = new Map<string, { readonly limits: EngineLimits; readonly askedAtMs: number }>();

  constructor(
    private readonly services: { readonly db: Db; readonly clock: Clock; readonly limits: RunLimits },
    private readonly cellId: string,
  ) {}

  /** The limits by workspace; one that is gone is missing. Outside of any transaction. */
  async of(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, EngineLimits>> {
    const stale = workspaceIds.filter((id) => !this.#fresh(id));
    if (stale.length > 0) await this.#load(stale);
    return new Map(
      workspaceIds.flatMap((id) => {
        const known = this.#known.get(id);
        return known ? [[id, known.limits] as const] : [];
      }),
    );
  }

  /** Notes the figures of workspaces whose runs wait, also of those that have no limits any more. */
  async refresh(workspaceIds: readonly string[]): Promise<void> {
    await this.#store([...(await this.of(workspaceIds))]);
  }

  #fresh(workspaceId: string): boolean {
    const known = this.#known.get(workspaceId);
    return known !== undefined && this.services.clock.monotonicMs() - known.askedAtMs < MAX_AGE_MS;
  }

  async #load(workspaceIds: readonly string[]): Promise<void> {
    const askedAtMs = this.services.clock.monotonicMs();
    const found = await this.services.limits.of(workspaceIds);
    await this.#store([...found].filter(([, limits]) => isLimited(limits)));
    if (this.#known.size > MAX_ENTRIES) this.#known.clear();
    for (const id of workspaceIds) {
      const limits = found.get(id);
      if (limits) this.#known.set(id, { limits, askedAtMs });
      else this.#known.delete(id);
    }
  }

  async #store(entries: readonly (readonly [string, EngineLimits])[]): Promise<void> {
    if (entries.length === 0) return;
    const figures = entries.map(([workspaceId, limits]) => ({ workspaceId, ...limits }));
    await this.services.db.execute(this.cellId, storeGates, ...storeGatesParams(figures));
  }
}

/** Whether a plan limits how many runs of the workspace execute. */
export function isLimited({ concurrentRuns, concurrentRunsPerWorkflow }: EngineLimits): boolean {
  return concurrentRuns !== null || concurrentRunsPerWorkflow !== null;
}
