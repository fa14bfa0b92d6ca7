import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AccessChanges, Clock, Db, Lifecycle, Logger, Notifications } from '#platform';
import { channels } from '../../engine/channels';
import { Watchers } from '../../runs/watchers';
import { hookMetrics } from './hook-metrics';
import { findRunAnswer } from './run-answers.sql';

const respondOutput = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.unknown().optional(),
});

/** What a run has to say to whoever waits for it. */
export type RunAnswer =
  /** The output of its first respond node. */
  | { readonly kind: 'responded'; readonly response: z.output<typeof respondOutput> }
  /** It is over, and has said nothing. */
  | { readonly kind: 'over'; readonly outcome: 'succeeded' | 'failed' | 'canceled' };

/** Which run, and for how long somebody waits. */
export interface AnswerWanted {
  readonly workspaceId: string;
  readonly runId: string;
  readonly timeoutMs: number;
  /** Aborted when nobody waits any more. */
  readonly gone: AbortSignal;
}

/** A sweep finds what a lost notification would have told. A thousand who wait ask the database two hundred times a second. */
const SWEEP_MS = 5_000;
/** Each holds a connection of a client. Who comes on top is not made to wait: the run is accepted all the same. */
export const MAX_WAITING = 1_000;

/**
 * Waits for what runs have to say, whichever process executes them. Notifications say when to look; what is answered
 * comes from the database.
 */
@Injectable()
export class RunAnswers {
  readonly #watchers: Watchers;
  readonly #listening = new Set<string>();
  readonly #logger: Logger;
  #waiting = 0;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly notifications: Notifications,
    private readonly lifecycle: Lifecycle,
    accessChanges: AccessChanges,
    logger: Logger,
  ) {
    this.#watchers = new Watchers(accessChanges);
    this.#logger = logger.scoped('hooks');
  }

  /** How many wait at present. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The answer, or null when none came in time, too many wait, or the process stops. The run goes on in any case. */
  async answerOf(wanted: AnswerWanted): Promise<RunAnswer | null> {
    if (this.#waiting >= MAX_WAITING) return null;
    const watch = this.#watchers.watch(wanted.runId, []);
    this.#waiting += 1;
    hookMetrics.waiting.inc();
    try {
      return await this.#wait(wanted, (waitMs, closed) => watch.next(waitMs, closed));
    } catch (error) {
      // The run is accepted; an error would make its sender call again.
      this.#logger.warn('A caller could not be told what a run answers.', { runId: wanted.runId, error });
      return null;
    } finally {
      watch.end();
      this.#waiting -= 1;
      hookMetrics.waiting.dec();
    }
  }

  async #wait(
    { workspaceId, runId, timeoutMs, gone }: AnswerWanted,
    next: (waitMs: number, closed: AbortSignal) => Promise<boolean>,
  ): Promise<RunAnswer | null> {
    const closed = AbortSignal.any([gone, this.lifecycle.stopping]);
    const deadlineMs = this.clock.monotonicMs() + timeoutMs;
    this.#listen(await this.db.cellOf(workspaceId));
    for (;;) {
      const answer = await this.#look(workspaceId, runId);
      if (answer) return answer;
      const leftMs = deadlineMs - this.clock.monotonicMs();
      if (leftMs <= 0 || closed.aborted) return null;
      await next(Math.min(leftMs, SWEEP_MS), closed);
    }
  }

  async #look(workspaceId: string, runId: string): Promise<RunAnswer | null> {
    const [run] = await this.db.tenant(workspaceId, (tx) => tx.query(findRunAnswer, workspaceId, runId));
    const response = respondOutput.safeParse(run?.answer);
    if (response.success) return { kind: 'responded', response: response.data };
    return run?.outcome ? { kind: 'over', outcome: run.outcome } : null;
  }

  /** A cell is listened to from the first one on who waits there. */
  #listen(cellId: string): void {
    if (this.#listening.has(cellId)) return;
    this.#listening.add(cellId);
    this.notifications.listen(channels.progress(cellId), (payload) =>
      this.#watchers.tell(payload === null || payload === '*' ? null : payload.split(',')),
    );
  }
}
