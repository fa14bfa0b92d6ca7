import { Injectable } from '@nestjs/common';
import {
  AccessChanges,
  AppError,
  Clock,
  Db,
  type EventStream,
  LiveAccess,
  Logger,
  Notifications,
  platformErrors,
  type Principal,
  principalKey,
} from '#platform';
import { channels } from '../engine/channels';
import { streamErrors } from '../errors';
import { REPLAY_MINUTES } from '../retention/history-marks';
import type { NumberedEvent } from '../runs/runs.dto';
import { numbered } from '../runs/runs.service';
import { Watchers } from '../runs/watchers';
import {
  readWorkspaceEvents,
  streamHorizon,
  type StreamPosition,
  type WorkspaceChunk,
} from './workspace-events.sql';

/** A sweep finds what a lost notification would have told, and whether the reader may still read. */
const SWEEP_MS = 5_000;
/** News can be seen only when every older transaction is over: after a hint it is looked for again so soon. */
const SOON_MS = 500;
/** A busy cell has news all the time; nobody reads faster. */
const PAUSE_MS = 250;
/** Chunks of one read. */
const CHUNKS = 200;
/** Transactions of one read: what they wrote is looked through for one workspace's. */
const STEP = 20_000n;

const NO_RUN = '00000000-0000-0000-0000-000000000000';

/** Who reads which workspace. */
interface Reading {
  readonly principal: Principal;
  readonly workspaceId: string;
}

/**
 * Live streams of the events of all runs of a workspace. The order is that of the transactions that wrote them, and only
 * what lies below every unfinished one is read: nothing can appear behind a reader, however late it commits.
 */
@Injectable()
export class WorkspaceStreams {
  readonly #watchers: Watchers;
  readonly #listening = new Set<string>();

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly liveAccess: LiveAccess,
    accessChanges: AccessChanges,
    private readonly notifications: Notifications,
    private readonly logger: Logger,
  ) {
    this.#watchers = new Watchers(accessChanges);
  }

  /** Where a stream begins: behind the event of `Last-Event-ID`, or now. Throws what keeps it from going on there. */
  async position(workspaceId: string, lastEventId: string | undefined): Promise<StreamPosition> {
    const cellId = await this.db.cellOf(workspaceId);
    const [horizon] = await this.db.execute(cellId, streamHorizon, REPLAY_MINUTES, this.clock.pinned());
    if (!horizon) throw new Error('The database says nothing of its transactions.');
    if (lastEventId === undefined || lastEventId === '') return { xact: horizon.next, runId: NO_RUN, seq: 0 };
    const position = positionOf(lastEventId);
    const xact = BigInt(position.xact);
    // What comes from the future was given before a backup was restored.
    if (xact >= BigInt(horizon.oldest ?? 0) && xact < BigInt(horizon.next)) return position;
    throw new AppError(streamErrors.expired, {
      detail: `Events can be taken up for ${REPLAY_MINUTES} minutes. Begin without Last-Event-ID, and read the list of runs for what is older.`,
    });
  }

  /** Sends events behind a position, past ones and those to come, until the reader goes or may read no more. */
  async follow(stream: EventStream, reading: Reading, from: StreamPosition): Promise<void> {
    const { principal, workspaceId } = reading;
    const watch = this.#watchers.watch('news', [principalKey(principal), `workspace:${workspaceId}`]);
    try {
      const cellId = await this.db.cellOf(workspaceId);
      this.#listen(cellId);
      let waitMs = SWEEP_MS;
      for (let position = from; !stream.closed.aborted;) {
        if (!(await this.liveAccess.permits(principal, workspaceId, 'run:read'))) break;
        position = await this.#send(stream, { cellId, workspaceId }, position);
        const isNews = await watch.next(waitMs, stream.closed);
        waitMs = isNews ? SOON_MS : SWEEP_MS;
        if (isNews) await watch.next(PAUSE_MS, stream.closed);
      }
    } catch (error) {
      // The answer has begun, so nothing but ending the stream can be said; the reader comes back with its last id.
      this.logger.scoped('runs').warn('A stream of events ended early.', { workspaceId, error });
    } finally {
      watch.end();
      stream.close();
    }
  }

  /** Sends what there is, and gives the position behind it. */
  async #send(
    stream: EventStream,
    { cellId, workspaceId }: { readonly cellId: string; readonly workspaceId: string },
    from: StreamPosition,
  ): Promise<StreamPosition> {
    for (let position = from; ;) {
      const [horizon] = await this.db.execute(cellId, streamHorizon, REPLAY_MINUTES, this.clock.pinned());
      const next = BigInt(horizon?.next ?? 0);
      const step = BigInt(position.xact) + STEP;
      const until = step < next ? step : next;
      const { xact, runId, seq } = position;
      const chunks = await this.db.tenant(workspaceId, (tx) =>
        tx.query(readWorkspaceEvents, workspaceId, xact, runId, seq, until.toString(), CHUNKS),
      );
      for (const { at, event } of chunks.flatMap(toldBy)) {
        // The first chunk may begin before the position, which stands in its midst.
        if (isBehind(position, at)) continue;
        const data = { runId: at.runId, ...event };
        if (!stream.send({ id: idOf(at), event: event.type, data })) return at;
      }
      const last = chunks.at(-1);
      position = last ? (toldBy(last).at(-1)?.at ?? position) : position;
      if (chunks.length === CHUNKS) continue;
      if (until > BigInt(position.xact)) position = { xact: until.toString(), runId: NO_RUN, seq: 0 };
      if (until === next) return position;
    }
  }

  /** A cell is listened to from its first reader on: to its checkpoints, and to its starts. */
  #listen(cellId: string): void {
    if (this.#listening.has(cellId)) return;
    this.#listening.add(cellId);
    for (const channel of [channels.progress(cellId), channels.work(cellId)]) {
      this.notifications.listen(channel, () => this.#watchers.tell(null));
    }
  }
}

/** The events of a chunk, each with the position behind it. */
function toldBy({ xact, runId, firstSeq, events, createdAt }: WorkspaceChunk) {
  const created = { seq: 1, type: 'run.created' as const, at: createdAt?.toISOString() ?? '' };
  const told: readonly NumberedEvent[] = events === null ? [created] : numbered([{ firstSeq, events }]);
  return told.map((event) => ({ at: { xact, runId, seq: event.seq }, event }));
}

function isBehind(position: StreamPosition, at: StreamPosition): boolean {
  return position.xact === at.xact && position.runId === at.runId && at.seq <= position.seq;
}

function idOf({ xact, runId, seq }: StreamPosition): string {
  return `${xact}.${runId}.${seq}`;
}

function positionOf(lastEventId: string): StreamPosition {
  const [, xact, runId, seq] =
    /^(\d{1,18})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,9})$/.exec(lastEventId) ?? [];
  if (xact !== undefined && runId !== undefined) return { xact, runId, seq: Number(seq) };
  throw new AppError(platformErrors.invalid, {
    detail: `The header Last-Event-ID is "${lastEventId.slice(0, 40)}"; it must be the id of an event of this stream.`,
  });
}
