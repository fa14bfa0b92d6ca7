import { Injectable } from '@nestjs/common';
import { Db, type Tx } from '#platform';
import { planOf } from '../plans/plan-catalog';
import { WorkspacePlans } from '../ports';
import { monthlyPeriod, type Period } from './period';
import { openPeriods } from './sql/open-periods.sql';
import { takeRuns } from './sql/take-runs.sql';

/** How many runs a workspace asks for. */
export interface RunRequest {
  readonly workspaceId: string;
  readonly runs: number;
}

/** What a workspace was granted, and what it may have in the period that ends at `periodEnd`. */
export interface RunGrant {
  /** From 0 to what was asked for: the last runs of a period may be fewer than wanted. */
  readonly granted: number;
  /** Null: unlimited. */
  readonly limit: number | null;
  readonly plan: string;
  readonly periodEnd: Date;
}

/** A period that must be open in a cell. */
interface Opening extends Period {
  readonly workspaceId: string;
  readonly plan: string;
  readonly limit: number | null;
}

/** An entry is some 150 bytes; workspaces beyond this many are looked up again. */
const OPEN_PERIODS_MAX = 100_000;

/**
 * Counts runs against plans, exactly. Whoever creates runs calls `ensurePeriods`, opens the transaction in the cell,
 * and calls `take` in it as the last thing that locks; both with the same `now`. A unit is taken in the transaction
 * that creates its run: they are stored together or not at all, and a rollback gives the unit back.
 */
@Injectable()
export class RunMeter {
  /** Periods known to be open. Rows are never deleted while their period lasts, so an entry stays true. */
  readonly #open = new Map<string, Period>();

  constructor(
    private readonly db: Db,
    private readonly plans: WorkspacePlans,
  ) {}

  /**
   * Makes sure that the current period of each workspace is open. Outside any transaction: it asks the port and writes
   * to the cells. Costs nothing but a look into memory once a period is known. Workspaces that do not exist stay out.
   */
  async ensurePeriods(workspaceIds: readonly string[], now: Date): Promise<void> {
    const unknown = [...new Set(workspaceIds)].filter((id) => !this.#isOpen(id, now));
    if (unknown.length === 0) return;
    const openings = await this.#openingsOf(unknown, now);
    for (const [cellId, inCell] of await this.#byCell(openings)) {
      await this.db.execute(cellId, openPeriods, ...columnsOf(inCell));
      for (const { workspaceId, start, end } of inCell) this.#remember(workspaceId, { start, end });
    }
  }

  /**
   * Takes runs inside a cell transaction and gives by workspace what was granted. A workspace without an open period
   * is missing: it does not exist (any more), or `ensurePeriods` was not called for this `now`.
   */
  async take(tx: Tx, requests: readonly RunRequest[], now: Date): Promise<ReadonlyMap<string, RunGrant>> {
    const wanted = totals(requests);
    if (wanted.size === 0) return new Map();
    const rows = await tx.query(takeRuns, [...wanted.keys()].join(','), [...wanted.values()].join(','), now);
    const grants = new Map(rows.map(({ workspaceId, ...grant }) => [workspaceId, grant]));
    // A row that memory takes for granted is gone (a restored backup, say): the next caller opens it again.
    for (const id of wanted.keys()) if (!grants.has(id)) this.#open.delete(id);
    return grants;
  }

  async #openingsOf(workspaceIds: readonly string[], now: Date): Promise<readonly Opening[]> {
    const plans = await this.plans.of(workspaceIds);
    return [...plans].map(([workspaceId, { plan: slug, anchorAt }]) => {
      const plan = planOf(slug);
      return {
        workspaceId,
        plan: plan.slug,
        limit: plan.limits.runsPerPeriod,
        ...monthlyPeriod(anchorAt, now),
      };
    });
  }

  async #byCell(openings: readonly Opening[]): Promise<ReadonlyMap<string, readonly Opening[]>> {
    const cells = new Map<string, Opening[]>();
    for (const opening of openings) {
      const cellId = await this.db.cellOf(opening.workspaceId);
      const others = cells.get(cellId);
      if (others) others.push(opening);
      else cells.set(cellId, [opening]);
    }
    return cells;
  }

  #isOpen(workspaceId: string, now: Date): boolean {
    const known = this.#open.get(workspaceId);
    return known !== undefined && known.start <= now && now < known.end;
  }

  #remember(workspaceId: string, period: Period): void {
    if (this.#open.size >= OPEN_PERIODS_MAX) this.#open.clear();
    this.#open.set(workspaceId, period);
  }
}

/** One request per workspace: a statement updates a row once, whatever number of requests name it. */
function totals(requests: readonly RunRequest[]): ReadonlyMap<string, number> {
  const wanted = new Map<string, number>();
  for (const { workspaceId, runs } of requests) {
    if (!Number.isSafeInteger(runs) || runs < 1) throw new RangeError(`Cannot take ${runs} runs.`);
    wanted.set(workspaceId, (wanted.get(workspaceId) ?? 0) + runs);
  }
  return wanted;
}

/** Parameters of `openPeriods`: one joined text per column. */
function columnsOf(openings: readonly Opening[]): [string, string, string, string, string] {
  const joined = (column: (opening: Opening) => string) => openings.map(column).join(',');
  return [
    joined(({ workspaceId }) => workspaceId),
    joined(({ start }) => start.toISOString()),
    joined(({ end }) => end.toISOString()),
    joined(({ plan }) => plan),
    joined(({ limit }) => (limit === null ? '' : String(limit))),
  ];
}
