import type { Logger } from '#platform';
import type { JsonValue } from '../definition/json';
import { jsonValue } from '../nodes/param-schemas';
import { FairQueue } from './fair-queue';
import { sandboxLimits } from './limits';
import type { GuestOutcome } from './outcome';
import { sandboxFailure, type SandboxResult } from './sandbox-result';
import { SandboxThread } from './sandbox-thread';

/** Customers' code, what it works on, and what it may take. */
export interface SandboxJob {
  /** The body of an async function with the parameter `input`. */
  readonly code: string;
  readonly input: JsonValue;
  /** Executions of different workspaces take turns. */
  readonly workspaceId: string;
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  /** What the code sees as the time, from its beginning to its end. */
  readonly nowMs: number;
  /** What `Math.random` is derived from: the same for every repetition. */
  readonly seed: string;
  readonly signal: AbortSignal;
}

interface Waiting {
  readonly job: SandboxJob;
  readonly settle: (result: SandboxResult) => void;
}

/**
 * Runs customers' JavaScript in a few threads of its own. A thread starts when it is first needed and is replaced when
 * it had to be killed; threads with nothing to do keep no process alive. Results are values: an exception is a bug.
 */
export class Sandbox {
  readonly #queue: FairQueue<Waiting>;
  readonly #threads = new Set<SandboxThread>();
  readonly #idle: SandboxThread[] = [];
  #serving = 0;
  #isClosed = false;

  constructor(
    private readonly options: {
      readonly threads: number;
      readonly logger: Logger;
      readonly queueLength?: number;
      readonly queueLengthPerWorkspace?: number;
      readonly graceMs?: number;
    },
  ) {
    this.#queue = new FairQueue({
      length: options.queueLength ?? sandboxLimits.queueLength,
      lengthPerOwner: options.queueLengthPerWorkspace ?? sandboxLimits.queueLengthPerWorkspace,
    });
  }

  /** The value that the code returns, or why there is none. Waits for a thread when all are busy. Never rejects. */
  run(job: SandboxJob): Promise<SandboxResult> {
    if (this.#isClosed || job.signal.aborted) return Promise.resolve(stopped());
    return new Promise((resolve) => {
      const onAbort = () => {
        if (this.#queue.remove(job.workspaceId, waiting)) resolve(stopped());
      };
      const settle = (result: SandboxResult) => {
        job.signal.removeEventListener('abort', onAbort);
        resolve(result);
      };
      const waiting: Waiting = { job, settle };
      if (!this.#queue.add(job.workspaceId, waiting)) {
        const message = `The sandbox has ${this.#queue.length} executions waiting already. Try again later.`;
        resolve(sandboxFailure('sandbox_busy', message));
        return;
      }
      job.signal.addEventListener('abort', onAbort);
      this.#wake();
    });
  }

  /** Stops what runs, refuses what waits, and ends the threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (let next = this.#queue.take(); next; next = this.#queue.take()) next.settle(stopped());
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  #wake(): void {
    if (this.#serving >= this.options.threads) return;
    this.#serving += 1;
    void this.#serve();
  }

  /** Works off the queue with one thread, and one after it when it is lost, until nothing waits. */
  async #serve(): Promise<void> {
    let thread = this.#idle.pop();
    for (let next = this.#queue.take(); next; next = this.#queue.take()) {
      if (thread?.isAlive !== true) thread = this.#newThread(thread);
      next.settle(await this.#execute(thread, next.job));
      // There are never more threads than were asked for, however long one takes to die.
      if (!thread.isAlive) await thread.ended;
    }
    if (thread) this.#idle.push(thread);
    this.#serving -= 1;
  }

  #newThread(lost: SandboxThread | undefined): SandboxThread {
    if (lost) this.#threads.delete(lost);
    const { logger, graceMs = sandboxLimits.graceMs } = this.options;
    const thread = new SandboxThread({ logger, graceMs });
    this.#threads.add(thread);
    return thread;
  }

  async #execute(thread: SandboxThread, job: SandboxJob): Promise<SandboxResult> {
    const { code, input, timeoutMs, memoryBytes, nowMs, seed, signal } = job;
    const inputText = JSON.stringify(input);
    const bytes = Buffer.byteLength(inputText);
    if (bytes > sandboxLimits.inputBytes) {
      const message = `The input has ${bytes} bytes as JSON; at most ${sandboxLimits.inputBytes} are given to code. Pass in only what it needs.`;
      return sandboxFailure('input_too_large', message);
    }
    return toResult(await thread.run({ code, inputText, timeoutMs, memoryBytes, nowMs, seed }, signal));
  }
}

function toResult(outcome: GuestOutcome): SandboxResult {
  if (outcome.kind === 'failed') return outcome;
  return { kind: 'done', value: jsonValue.parse(JSON.parse(outcome.text)), logs: outcome.logs };
}

function stopped(): SandboxResult {
  return sandboxFailure('aborted', 'The execution was stopped.');
}
