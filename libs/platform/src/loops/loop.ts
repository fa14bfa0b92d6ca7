import { AsyncResource } from 'node:async_hooks';
import type { SchedulerRegistry } from '@nestjs/schedule';
import type { Random } from '../ids/random';
import type { Logger } from '../log/logger';
import type { Clock } from '../time/clock';
import type { LoopDuty, LoopResult } from './loop-duty';
import { loopMetrics } from './loop-metrics';

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;

/** What whoever added a duty can do with its loop. */
export interface LoopHandle {
  readonly name: string;
  /** Asks for a round now, or right after the running one; never lost. Nothing in a process without the duty's role. */
  wake(): void;
  /** Runs one round by hand, after the running one if there is one. Rejects as the duty does, and after `stop`. */
  runOnce(): Promise<LoopResult>;
  /** Ends the loop for good and waits for the running round, whose signal is aborted. */
  stop(): Promise<void>;
}

/** The pulse of one loop, for readiness and people. */
export interface LoopBeat {
  readonly name: string;
  readonly running: boolean;
  readonly lastStartedAt: Date | null;
  readonly lastFinishedAt: Date | null;
  /** Message of the error of the last round; null when that went well. */
  readonly lastError: string | null;
  readonly rounds: number;
  readonly errors: number;
  /** No round has ended for far longer than one should take: the loop hangs. */
  readonly overdue: boolean;
}

/** What a loop is made of beside its duty. */
export interface LoopParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly timers: SchedulerRegistry;
}

/**
 * Runs one duty again and again, one round at a time: after `everyMs` (±10 %), at once when woken or when a round
 * asks for another, after a growing pause when it fails. Idle time is one timer, listed under the duty's name.
 */
export class Loop implements LoopHandle {
  readonly #abort = new AbortController();
  /** Rounds begin here, so a round woken by a request does not run (and log) as a part of that request. */
  readonly #scope: AsyncResource;
  #phase: 'new' | 'started' | 'stopped' = 'new';
  #idle = true;
  #woken = false;
  /** Settles when every round asked for so far is over. */
  #tail: Promise<unknown> = Promise.resolve();
  #failures = 0;
  #beatMs: number;
  #beat: Omit<LoopBeat, 'name' | 'overdue'> = {
    running: false,
    lastStartedAt: null,
    lastFinishedAt: null,
    lastError: null,
    rounds: 0,
    errors: 0,
  };

  constructor(
    readonly duty: LoopDuty,
    private readonly parts: LoopParts,
  ) {
    this.#scope = new AsyncResource(`loop ${duty.name}`);
    this.#beatMs = parts.clock.monotonicMs();
  }

  get name(): string {
    return this.duty.name;
  }

  /** Begins with a round at once: what fell due while nobody was running must not wait. Idempotent. */
  start(): void {
    if (this.#phase !== 'new') return;
    this.#phase = 'started';
    this.#beatMs = this.parts.clock.monotonicMs();
    this.#begin();
  }

  wake(): void {
    if (this.#phase !== 'started') return;
    this.#woken = true;
    if (!this.#idle) return;
    if (this.#failures === 0) this.#begin();
    else this.#arm(this.#firstBackoffLeftMs());
  }

  async runOnce(): Promise<LoopResult> {
    return this.#exclusively(async () => {
      if (this.#phase === 'stopped') throw new Error(`The loop ${this.name} is stopped.`);
      return this.#round();
    });
  }

  async stop(): Promise<void> {
    this.#phase = 'stopped';
    this.#disarm();
    this.#abort.abort();
    await this.#tail;
  }

  beat(): LoopBeat {
    // A failing loop lives, however long it pauses: `lastError` tells of it, `overdue` is for one that hangs.
    const graceMs = 5 * this.duty.everyMs + 30_000 + (this.#failures > 0 ? MAX_BACKOFF_MS : 0);
    const silentMs = this.parts.clock.monotonicMs() - this.#beatMs;
    return { ...this.#beat, name: this.name, overdue: this.#phase === 'started' && silentMs > graceMs };
  }

  #begin(): void {
    this.#disarm();
    this.#idle = false;
    void this.#scope.runInAsyncScope(() => this.#rounds());
  }

  async #rounds(): Promise<void> {
    while (this.#phase === 'started') {
      const wantsMore = await this.#exclusively(() => this.#loopRound());
      if (this.#failures > 0 || !(wantsMore || this.#woken)) break;
      // A duty that always wants more must not keep timers and sockets from their turn.
      await nextTurn();
    }
    this.#idle = true;
    if (this.#phase === 'started') this.#arm(this.#pauseMs());
  }

  /** One round of the loop's own; says whether it asked for another. Its error is in the log and needs no handler. */
  async #loopRound(): Promise<boolean> {
    if (this.#phase === 'stopped') return false;
    this.#woken = false;
    try {
      return (await this.#round()).again ?? false;
    } catch {
      return false;
    }
  }

  async #round(): Promise<LoopResult> {
    const startedMs = this.parts.clock.monotonicMs();
    this.#beat = { ...this.#beat, running: true, lastStartedAt: this.parts.clock.now() };
    try {
      const result = await this.duty.runOnce(this.#abort.signal);
      this.#failures = 0;
      this.#beat = { ...this.#beat, lastError: null };
      loopMetrics.rows.inc({ loop: this.name }, result.rows);
      return result;
    } catch (error) {
      this.#failed(error);
      throw error;
    } finally {
      this.#finished(startedMs);
    }
  }

  #failed(error: unknown): void {
    // A round that is told to stop may well throw the abort itself.
    if (this.#abort.signal.aborted) return;
    this.#failures += 1;
    const lastError = error instanceof Error ? error.message : String(error);
    this.#beat = { ...this.#beat, lastError, errors: this.#beat.errors + 1 };
    loopMetrics.errors.inc({ loop: this.name });
    this.parts.logger.error('A round of a loop failed.', {
      loop: this.name,
      failuresInARow: this.#failures,
      error,
    });
  }

  #finished(startedMs: number): void {
    this.#beatMs = this.parts.clock.monotonicMs();
    const lastFinishedAt = this.parts.clock.now();
    this.#beat = { ...this.#beat, running: false, lastFinishedAt, rounds: this.#beat.rounds + 1 };
    loopMetrics.rounds.inc({ loop: this.name });
    loopMetrics.seconds.observe({ loop: this.name }, (this.#beatMs - startedMs) / 1000);
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => undefined);
    return done;
  }

  #pauseMs(): number {
    const fraction = this.parts.random.fraction();
    if (this.#failures === 0) return this.duty.everyMs * (0.9 + 0.2 * fraction);
    if (this.#woken) return this.#firstBackoffLeftMs();
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** (this.#failures - 1), MAX_BACKOFF_MS);
    return backoffMs * (0.5 + 0.5 * fraction);
  }

  /** A wake cuts a long backoff short (somebody could reach the database), but not below one round a second. */
  #firstBackoffLeftMs(): number {
    return Math.max(0, this.#beatMs + FIRST_BACKOFF_MS - this.parts.clock.monotonicMs());
  }

  #arm(delayMs: number): void {
    this.#disarm();
    const timer = this.#scope.runInAsyncScope(() => setTimeout(() => this.#begin(), delayMs));
    this.parts.timers.addTimeout(this.#timerName, timer);
  }

  #disarm(): void {
    if (this.parts.timers.doesExist('timeout', this.#timerName)) {
      this.parts.timers.deleteTimeout(this.#timerName);
    }
  }

  get #timerName(): string {
    return `loop:${this.name}`;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
