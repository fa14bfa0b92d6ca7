import { Injectable } from '@nestjs/common';
import { Clock, Db, Ids, Logger } from '#platform';
import { deliveryParams, insertDeliveries, trimRejected } from './hook-deliveries.sql';
import { type HookRequest, shownRequest } from './hook-event';
import { hookMetrics } from './hook-metrics';
import type { LiveHook } from './live-hooks.service';
import type { RejectReason } from './verification/signature-claim';

/** Of each hook; the newest stay. */
export const KEPT_REJECTIONS = 100;
const KEEP_DAYS = 7;
/** A hook has one note in so long from each process, whatever is thrown at it. */
const NOTE_EVERY_MS = 1_000;
/** Headers beyond this are not kept. */
const MAX_HEADER_CHARS = 4_096;
const MAX_REMEMBERED = 10_000;

/**
 * Notes of calls that were not let in, so that members see why nothing comes of them. Whoever knows an address can have
 * calls rejected as fast as they like, so the notes are few, small, and without the body; when one cannot be made, the
 * answer is the same.
 */
@Injectable()
export class Rejections {
  readonly #lastNoteMs = new Map<string, number>();
  readonly #logger: Logger;

  constructor(
    private readonly db: Db,
    private readonly ids: Ids,
    private readonly clock: Clock,
    logger: Logger,
  ) {
    this.#logger = logger.scoped('hooks');
  }

  async note(hook: LiveHook, request: HookRequest, reason: RejectReason): Promise<void> {
    const { workspaceId, hookId, version } = hook;
    hookMetrics.deliveries.inc({ state: 'rejected' });
    if (!this.#isDue(hookId)) return;
    const headers = JSON.stringify(shownRequest({ headers: request.headers, query: {} }).headers);
    const delivery = {
      id: this.ids.next(),
      workspaceId,
      hookId,
      workflowId: version.workflowId,
      state: 'rejected',
      reason,
      runId: null,
      source: 'call',
      replayOf: null,
      by: null,
      method: request.method,
      headers: headers.length > MAX_HEADER_CHARS ? '{}' : headers,
      query: '{}',
      body: null,
      bodyBytes: request.body.length,
      keepDays: KEEP_DAYS,
    } as const;
    try {
      const cellId = await this.db.cellOf(workspaceId);
      await this.db.cell(cellId, async (tx) => {
        await tx.query(insertDeliveries, ...deliveryParams(this.clock.pinned(), [delivery]));
        await tx.query(trimRejected, hookId, KEPT_REJECTIONS);
      });
    } catch (error) {
      this.#logger.warn('A rejected call could not be noted.', { hookId, error });
    }
  }

  #isDue(hookId: string): boolean {
    const nowMs = this.clock.monotonicMs();
    const last = this.#lastNoteMs.get(hookId);
    if (last !== undefined && nowMs - last < NOTE_EVERY_MS) return false;
    if (this.#lastNoteMs.size >= MAX_REMEMBERED) this.#lastNoteMs.clear();
    this.#lastNoteMs.set(hookId, nowMs);
    return true;
  }
}
