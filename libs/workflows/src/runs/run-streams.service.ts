import { Injectable } from '@nestjs/common';
import {
  AccessChanges,
  Db,
  type EventStream,
  Lifecycle,
  LiveAccess,
  Logger,
  Notifications,
  type Principal,
  principalKey,
} from '#platform';
import { channels } from '../engine/channels';
import { isFinalEvent } from '../engine/run-events';
import { Runs } from './runs.service';
import { Watchers } from './watchers';

/** A sweep finds what a lost notification would have told, and whether the reader may still read. */
const SWEEP_MS = 5_000;

/** Who reads which run. */
interface Reading {
  readonly principal: Principal;
  readonly workspaceId: string;
  readonly runId: string;
}

/**
 * Live streams of runs' events. Notifications say when to look; what is sent comes from the database. Before each look
 * the reader is judged anew: whoever has lost the session, the key, the membership or the permission hears no more.
 */
@Injectable()
export class RunStreams {
  readonly #watchers: Watchers;
  readonly #listening = new Set<string>();

  constructor(
    private readonly db: Db,
    private readonly runs: Runs,
    private readonly liveAccess: LiveAccess,
    accessChanges: AccessChanges,
    private readonly notifications: Notifications,
    private readonly lifecycle: Lifecycle,
    private readonly logger: Logger,
  ) {
    this.#watchers = new Watchers(accessChanges);
  }

  /** The signal that ends every stream when the process stops. */
  get stopping(): AbortSignal {
    return this.lifecycle.stopping;
  }

  /** Sends the run's events behind `after`, past ones and those to come, until its last one or the reader goes. */
  async follow(stream: EventStream, run: Reading, after: number): Promise<void> {
    const subjects = [principalKey(run.principal), `workspace:${run.workspaceId}`];
    const watch = this.#watchers.watch(run.runId, subjects);
    try {
      this.#listen(await this.db.cellOf(run.workspaceId));
      for (let last = after; !stream.closed.aborted;) {
        if (!(await this.liveAccess.permits(run.principal, run.workspaceId, 'run:read'))) break;
        const sent = await this.#send(stream, run, last);
        if (sent.final) break;
        last = sent.last;
        await watch.next(SWEEP_MS, stream.closed);
      }
    } catch (error) {
      // The answer has begun, so nothing but ending the stream can be said; the reader comes back with its last id.
      this.logger.scoped('runs').warn('A stream of events ended early.', { runId: run.runId, error });
    } finally {
      watch.end();
      stream.close();
    }
  }

  /** A cell is listened to from its first reader on. */
  #listen(cellId: string): void {
    if (this.#listening.has(cellId)) return;
    this.#listening.add(cellId);
    this.notifications.listen(channels.progress(cellId), (payload) =>
      this.#watchers.tell(payload === null || payload === '*' ? null : payload.split(',')),
    );
  }

  async #send(
    stream: EventStream,
    { workspaceId, runId }: { readonly workspaceId: string; readonly runId: string },
    after: number,
  ): Promise<{ readonly last: number; readonly final: boolean }> {
    for (let last = after; ;) {
      const events = await this.runs.events(workspaceId, runId, last);
      for (const event of events) {
        stream.send({ id: String(event.seq), event: event.type, data: event });
        last = event.seq;
        if (isFinalEvent(event.type)) return { last, final: true };
      }
      if (events.length === 0) return { last, final: false };
    }
  }
}
