import type { Logger } from '#platform';
import type { Place } from '../definition/frame';
import type { NodeError } from '../nodes/node-kind';
import { type Checkpointer, LeaseLost, type Recording } from './checkpointer';
import type { AttemptEvidence, NodeState } from './node-state';
import { Recorder } from './recorder';
import type { NodeRecord, RunEnd, Segment } from './segment';

/** What the journal tells the run it keeps. */
export interface JournalOwner {
  /** Everything up to the run's end or its parking is committed. */
  left(): void;
  /** The lease is gone, so nothing more will be recorded. */
  lost(): void;
  /** The database does not take what was gathered; the gathering since the last checkpoint is dropped. */
  refused(): void;
}

/** A node's row: where it is, and what is known of its execution. */
export interface NodeEntry {
  readonly nodeId: string;
  readonly iteration: string;
  readonly startedAt: Date;
  readonly attempt: number;
  /** Whether it has a row already, because it waits or was under way. */
  readonly hasRow: boolean;
}

/**
 * What one run has to record: gathers rows and events, and hands them to the checkpointer, one checkpoint at a time so
 * that their order is kept.
 */
export class RunJournal implements Recording {
  readonly runId: string;
  readonly #recorder: Recorder;
  #firstSeqTaken: number;
  #recording = false;
  #closing = false;
  #over = false;
  readonly #waiting: ((committed: boolean) => void)[] = [];

  constructor(
    run: {
      readonly runId: string;
      readonly claims: number;
      readonly workspaceId: string;
      readonly retentionDays: number;
      readonly lastSeq: number;
      readonly rescued: boolean;
    },
    private readonly parts: {
      readonly checkpointer: Checkpointer;
      readonly logger: Logger;
      readonly owner: JournalOwner;
      now(): Date;
    },
  ) {
    this.runId = run.runId;
    this.#recorder = new Recorder(run, run);
    this.#firstSeqTaken = run.lastSeq + 1;
  }

  /** How many rows have gathered. */
  get size(): number {
    return this.#recorder.size;
  }

  /** For the checkpointer: what has gathered. */
  take(): Segment {
    const segment = this.#recorder.take();
    this.#firstSeqTaken = segment.firstSeq;
    return segment;
  }

  event(...[type, details]: [Parameters<Recorder['event']>[0], Parameters<Recorder['event']>[2]?]): void {
    this.#recorder.event(type, this.parts.now(), details);
  }

  /** An execution begins whose beginning is worth telling. */
  started(entry: NodeEntry): void {
    this.event('node.started', named(entry));
  }

  succeeded(entry: NodeEntry, ports: readonly string[], output: string): void {
    this.#row(entry, { status: 'succeeded', ports: ports.join(','), output });
    this.event('node.succeeded', named(entry));
  }

  failed(entry: NodeEntry, error: NodeError): void {
    this.#row(entry, { status: 'failed', error: JSON.stringify(error) });
    this.event('node.failed', { ...named(entry), error: { code: error.code, message: error.message } });
  }

  canceled(entry: NodeEntry): void {
    this.#row(entry, { status: 'canceled' });
    this.event('node.canceled', named(entry));
  }

  skipped({ node, frame }: Place): void {
    const at = this.parts.now();
    const entry = { nodeId: node.id, iteration: frame.iteration, startedAt: at, attempt: 1, hasRow: false };
    this.#row(entry, { status: 'skipped' });
    this.event('node.skipped', named(entry));
  }

  /** A node is under way and must not be forgotten, whatever happens. */
  running(entry: NodeEntry, state: NodeState): void {
    this.#row(entry, { status: 'running', state: JSON.stringify(state), finishedAt: null });
  }

  waiting(entry: NodeEntry, resumeAt: Date | null, state: NodeState): void {
    this.#row(entry, { status: 'waiting', state: JSON.stringify(state), resumeAt, finishedAt: null });
    const until = resumeAt === null ? {} : { resumeAt: resumeAt.toISOString() };
    if (state.kind === 'retry') {
      const { code, message } = state.error;
      this.event('node.retrying', { ...named(entry), ...until, error: { code, message } });
      return;
    }
    const what =
      state.kind === 'child'
        ? { on: 'run', childRunId: state.runId }
        : state.kind === 'wait'
          ? { on: state.on }
          : {};
    this.event('node.waiting', { ...named(entry), ...until, ...what });
  }

  /** An attempt was interrupted that may not be repeated without asking. */
  needsDecision(entry: NodeEntry, evidence: AttemptEvidence): void {
    this.#row(entry, {
      status: 'waiting',
      state: JSON.stringify({ kind: 'decision', ...evidence } satisfies NodeState),
      finishedAt: null,
    });
    this.event('node.needs_decision', named(entry));
  }

  /** The message of a node has its effect now, which is recorded together with this. */
  consumed({ nodeId, iteration }: Pick<NodeEntry, 'nodeId' | 'iteration'>): void {
    this.#recorder.consumed(nodeId, iteration);
  }

  /** The last thing to be recorded: the run is finished, or parked. */
  close(end: RunEnd): void {
    this.#closing = true;
    this.#recorder.end(end);
  }

  /** Resolves true once everything that has happened so far is committed, false when it never will be. */
  committed(): Promise<boolean> {
    return new Promise((answer) => {
      this.#waiting.push(answer);
      void this.flush();
    });
  }

  /** Records until there is no more news. */
  async flush(): Promise<void> {
    if (this.#recording || this.#over) return;
    this.#recording = true;
    try {
      while (this.#recorder.hasNews && !this.#over) {
        const recorded = await this.parts.checkpointer.record(this);
        if (recorded === 'refused') this.#refused();
      }
    } catch (error) {
      const { logger, owner } = this.parts;
      if (!(error instanceof LeaseLost)) logger.error('a run was dropped', { runId: this.runId, error });
      owner.lost();
    } finally {
      this.#recording = false;
    }
    this.#answer(!this.#over);
    if (this.#closing && !this.#over) this.parts.owner.left();
  }

  /** Nothing more is recorded. */
  end(): void {
    this.#over = true;
    this.#answer(false);
  }

  #refused(): void {
    this.#recorder.rollBack(this.#firstSeqTaken);
    this.parts.owner.refused();
  }

  #answer(committed: boolean): void {
    for (const answer of this.#waiting.splice(0)) answer(committed);
  }

  #row(
    { nodeId, iteration, startedAt, attempt, hasRow }: NodeEntry,
    result: Partial<NodeRecord> & Pick<NodeRecord, 'status'>,
  ): void {
    this.#recorder.node({
      nodeId,
      iteration,
      attempts: attempt,
      ports: '',
      output: null,
      error: null,
      state: null,
      resumeAt: null,
      startedAt,
      finishedAt: this.parts.now(),
      write: hasRow ? 'update' : 'insert',
      ...result,
    });
  }
}

/** What an event says of where it happened; the usual is left out. */
function named({ nodeId, iteration, attempt }: NodeEntry): {
  readonly nodeId: string;
  readonly iteration?: string;
  readonly attempt?: number;
} {
  if (iteration === '' && attempt === 1) return { nodeId };
  return { nodeId, ...(iteration !== '' && { iteration }), ...(attempt > 1 && { attempt }) };
}
