import type { Logger } from '#platform';
import type { GraphNode } from '../definition/graph';
import type { NodeError } from '../nodes/node-kind';
import { type Checkpointer, LeaseLost, type Recording } from './checkpointer';
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

/** What a node did, before it is put into a row. */
export interface NodeResultRecord {
  readonly node: GraphNode;
  readonly startedAt: Date;
  /** Whether the node had waited, so that it has a row already. */
  readonly waited: boolean;
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
    run: { readonly runId: string; readonly workspaceId: string; readonly lastSeq: number },
    private readonly parts: {
      readonly checkpointer: Checkpointer;
      readonly logger: Logger;
      readonly owner: JournalOwner;
      now(): Date;
    },
  ) {
    this.runId = run.runId;
    this.#recorder = new Recorder(run.runId, run.workspaceId, run.lastSeq);
    this.#firstSeqTaken = run.lastSeq + 1;
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

  succeeded(result: NodeResultRecord, ports: readonly string[], output: string): void {
    this.#row(result, { status: 'succeeded', ports: ports.join(','), output });
    this.event('node.succeeded', { nodeId: result.node.id });
  }

  failed(result: NodeResultRecord, error: NodeError): void {
    this.#row(result, { status: 'failed', error: JSON.stringify(error) });
    this.event('node.failed', {
      nodeId: result.node.id,
      error: { code: error.code, message: error.message },
    });
  }

  canceled(result: NodeResultRecord): void {
    this.#row(result, { status: 'canceled' });
    this.event('node.canceled', { nodeId: result.node.id });
  }

  skipped(node: GraphNode): void {
    this.#row({ node, startedAt: this.parts.now(), waited: false }, { status: 'skipped' });
    this.event('node.skipped', { nodeId: node.id });
  }

  waiting(result: NodeResultRecord, resumeAt: Date): void {
    this.#row(result, { status: 'waiting', resumeAt, finishedAt: null });
    this.event('node.waiting', { nodeId: result.node.id, resumeAt: resumeAt.toISOString() });
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
    { node, startedAt, waited }: NodeResultRecord,
    result: Partial<NodeRecord> & Pick<NodeRecord, 'status'>,
  ): void {
    this.#recorder.node({
      nodeId: node.id,
      iteration: '',
      ports: '',
      output: null,
      error: null,
      resumeAt: null,
      startedAt,
      finishedAt: this.parts.now(),
      write: waited ? 'update' : 'insert',
      ...result,
    });
  }
}
