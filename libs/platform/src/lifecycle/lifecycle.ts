import type { Logger } from '../log/logger';
import type { Clock } from '../time/clock';

/** A step that is reached after the deadline still gets this long: most need a few milliseconds. */
const LAST_CHANCE_MS = 500;

/** Where a step stands in the order of stopping; numbers between leave room. */
export const drainOrder = {
  /** Stop taking in new work: HTTP requests, claims. */
  intake: 10,
  /** Let work in hand finish or hand it over. */
  work: 20,
  /** End background loops. */
  loops: 30,
  /** Close the application with its connections; nothing may need them afterwards. */
  connections: 90,
} as const;

/** What readiness answers from: only a `ready` process wants traffic. */
export type LifecyclePhase = 'starting' | 'ready' | 'draining' | 'stopped';

interface DrainStep {
  readonly name: string;
  readonly order: number;
  readonly run: () => Promise<unknown>;
}

/** The one way a process stops: readiness flips, `stopping` is aborted, then the steps run one after another. */
export class Lifecycle {
  readonly #abort = new AbortController();
  readonly #steps: DrainStep[] = [];
  readonly #logger: Logger;
  #phase: LifecyclePhase = 'starting';
  #drained: Promise<void> | null = null;

  /** `drainMs` bounds a drain that is not given a deadline of its own. */
  constructor(
    private readonly parts: { readonly clock: Clock; readonly logger: Logger; readonly drainMs: number },
  ) {
    this.#logger = parts.logger.scoped('lifecycle');
  }

  get phase(): LifecyclePhase {
    return this.#phase;
  }

  /** Aborted when the process begins to stop: long work listens to it. */
  get stopping(): AbortSignal {
    return this.#abort.signal;
  }

  /** The application takes requests from now on. */
  ready(): void {
    if (this.#phase === 'starting') this.#phase = 'ready';
  }

  /** Adds a step; lower orders run first, equal ones as they were added. Throws once draining has begun. */
  onDrain(name: string, order: number, run: () => Promise<unknown>): void {
    if (this.#drained) throw new Error(`The drain step "${name}" comes too late: the process is stopping.`);
    this.#steps.push({ name, order, run });
  }

  /**
   * Stops the process's work once, however often it is called. Always resolves: a step that throws is logged, one
   * that hangs is left behind at the deadline, and those after it still get half a second each.
   */
  drain(deadlineMs: number = this.parts.drainMs): Promise<void> {
    this.#drained ??= this.#drain(deadlineMs);
    return this.#drained;
  }

  async #drain(deadlineMs: number): Promise<void> {
    const { clock } = this.parts;
    const endMs = clock.monotonicMs() + deadlineMs;
    this.#phase = 'draining';
    this.#logger.info('The process is stopping.', { deadlineMs });
    this.#abort.abort();
    for (const step of this.#steps.toSorted((one, other) => one.order - other.order)) {
      await this.#run(step, Math.max(endMs - clock.monotonicMs(), LAST_CHANCE_MS));
    }
    this.#phase = 'stopped';
    this.#logger.info('The process has stopped.');
  }

  async #run({ name, run }: DrainStep, timeoutMs: number): Promise<void> {
    const { clock } = this.parts;
    const startMs = clock.monotonicMs();
    let outcome: 'done' | 'hangs' = 'done';
    try {
      outcome = await Promise.race([run().then(() => 'done' as const), hangsAfter(timeoutMs)]);
    } catch (error) {
      this.#logger.error('A drain step failed.', { step: name, error });
      return;
    }
    const fields = { step: name, tookMs: Math.round(clock.monotonicMs() - startMs) };
    if (outcome === 'done') this.#logger.info('A drain step is done.', fields);
    else this.#logger.error('A drain step hangs and is left behind.', fields);
  }
}

function hangsAfter(timeoutMs: number): Promise<'hangs'> {
  return new Promise((resolve) => {
    // Unreferenced: once the step is done, the timer must not keep a stopped process alive.
    setTimeout(() => resolve('hangs'), timeoutMs).unref();
  });
}
