import { Injectable } from '@nestjs/common';
import { Batcher, Clock, Db, Ids, Logger, type Page, pageOf } from '#platform';
import { WorkflowAudit } from '../ports';
import { type BlockEventsQuery, type BlockEventView, toBlockEvent } from './block-events.dto';
import {
  type BlockEventRow,
  clearBlocks,
  listBlocks,
  MAX_BLOCK_EVENTS,
  recordBlocks,
  trimBlocks,
} from './block-events.sql';
import { type BlockedRequest, type BlockedRequestLog, recordedPlace } from './blocked-requests';
import type { EgressCaller } from './egress-policies.service';

const MAX_BATCH = 200;

/** What was refused to the nodes of workspaces, for their people to see. */
@Injectable()
export class BlockEvents implements BlockedRequestLog {
  readonly #batchers = new Map<string, Batcher<BlockedRequest, void>>();
  readonly #logger: Logger;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly audit: WorkflowAudit,
    logger: Logger,
  ) {
    this.#logger = logger.scoped('egress');
  }

  /** Writes a refusal down. It has been refused already, so what goes wrong here is told to the log alone. */
  async record(blocked: BlockedRequest): Promise<void> {
    const { workspaceId } = blocked.context;
    const batcher = this.#batcher(workspaceId);
    try {
      await batcher.submit(blocked);
    } catch (error) {
      this.#logger.error('A refused request could not be written down', {
        runId: blocked.context.runId,
        nodeId: blocked.context.nodeId,
        rule: blocked.rule,
        error,
      });
    } finally {
      // Another one is made when it is needed.
      if (batcher.size === 0) this.#batchers.delete(workspaceId);
    }
  }

  /** A page of what was refused, the newest first. */
  async list(
    workspaceId: string,
    { host, rule, runId, dryRun, limit }: BlockEventsQuery,
    beforeId: string | null,
  ): Promise<Page<BlockEventView>> {
    const rows = await this.db.tenant(workspaceId, (tx) =>
      tx.query(
        listBlocks,
        workspaceId,
        beforeId,
        host ?? null,
        rule ?? null,
        runId ?? null,
        dryRun ?? null,
        limit + 1,
      ),
    );
    const page = pageOf(rows, limit, ({ id }: BlockEventRow) => ({ id }));
    return { ...page, data: page.data.map(toBlockEvent) };
  }

  /** Forgets all of it, or what was last refused before an instant; gives the number of rows. */
  clear({ access: { workspaceId }, principal, client }: EgressCaller, before: Date | null): Promise<number> {
    return this.db.tenant(workspaceId, async (tx) => {
      const { length: deleted } = await tx.query(clearBlocks, workspaceId, before);
      if (deleted > 0) {
        await this.audit.record(tx, {
          workspaceId,
          actor: principal,
          client,
          action: 'egress_blocks.cleared',
          targetKind: 'egress_policy',
          targetId: workspaceId,
          after: { deleted, before: before?.toISOString() ?? null },
        });
      }
      return deleted;
    });
  }

  /**
   * A workflow that is refused may be refused a thousand times a second: those go together. Each workspace for itself, so
   * that what one can not have written does not fail what others can.
   */
  #batcher(workspaceId: string): Batcher<BlockedRequest, void> {
    const known = this.#batchers.get(workspaceId);
    if (known) return known;
    const flush = (batch: readonly BlockedRequest[]) => this.#write(workspaceId, batch);
    const batcher = new Batcher({ flush, maxBatch: MAX_BATCH, maxInFlight: 1 });
    this.#batchers.set(workspaceId, batcher);
    return batcher;
  }

  async #write(workspaceId: string, batch: readonly BlockedRequest[]): Promise<readonly void[]> {
    const cellId = await this.db.cellOf(workspaceId);
    const places = batch.map(recordedPlace);
    const written = await this.db.execute(
      cellId,
      recordBlocks,
      this.clock.pinned(),
      workspaceId,
      batch.map(() => this.ids.next()),
      batch.map(({ context }) => context.runId),
      batch.map(({ context }) => context.nodeId),
      batch.map(({ context }) => context.iteration),
      places.map(({ host }) => host),
      batch.map(({ rule }) => rule),
      places.map(({ url }) => url),
      batch.map(({ message, context }) => context.mask(message)),
      batch.map(({ dryRun }) => dryRun),
    );
    if (written.some(({ isNew }) => isNew)) {
      await this.db.execute(cellId, trimBlocks, workspaceId, MAX_BLOCK_EVENTS);
    }
    return batch.map(() => undefined);
  }
}
