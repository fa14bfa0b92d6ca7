import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, type Tx } from '#platform';
import { whyGated } from '../engine/why-gated';
import { runErrors } from '../errors';
import { AHEAD_BOUND, executingNodes, explain, type Explanation, type Facts } from './explain';
import { lastEvents, listOpenNodes, readQueueBefore, readStanding, type StandingRow } from './explain.sql';

/** Nodes that an explanation names at most. */
const NODES = 50;
/** Checkpoints in which the beginning of what is executed now is looked for. */
const CHUNKS = 20;

/** Says why a run does not go on. */
@Injectable()
export class Explanations {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  /** Read as the owner, since requests see no workers; the run is asked for by its workspace. */
  async explain(workspaceId: string, runId: string): Promise<Explanation> {
    const cellId = await this.db.cellOf(workspaceId);
    const now = this.clock.pinned();
    const facts = await this.db.cell(cellId, async (tx): Promise<Facts | null> => {
      const [standing] = await tx.query(readStanding, workspaceId, runId, now);
      return standing ? this.#facts(tx, runId, standing) : null;
    });
    if (!facts) throw new AppError(runErrors.not_found, { detail: 'There is no such run.' });
    return explain(facts);
  }

  async #facts(tx: Tx, runId: string, standing: StandingRow): Promise<Facts> {
    const { state, turn } = standing;
    if (standing.outcome !== null) return { standing, queue: null, nodes: [], executing: [], gate: null };
    const [queue = null] =
      state === 'queued' && turn !== null
        ? await tx.query(readQueueBefore, turn, AHEAD_BOUND, this.clock.pinned())
        : [];
    const nodes = await tx.query(listOpenNodes, runId, NODES);
    const chunks = state === 'owned' ? await tx.query(lastEvents, runId, CHUNKS) : [];
    const executing = executingNodes(chunks.toReversed().flatMap(({ events }) => events));
    const gate = state === 'gated' || state === 'paused' ? await whyGated(tx, runId) : null;
    return { standing, queue, nodes, executing, gate };
  }
}
