import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { Alarm, type Logger } from '#platform';
import type { GuestJob } from './guest';
import { sandboxLimits } from './limits';
import { type GuestOutcome, outOfMemory, timedOut } from './outcome';
import { sandboxFailure } from './sandbox-result';

const logs = z.array(z.string());

/** A thread may have been broken by what ran in it, so its messages are looked at like anything from outside. */
const messageSchema = z.union([
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({
    kind: z.literal('outcome'),
    outcome: z.union([
      z.strictObject({ kind: z.literal('done'), text: z.string(), logs }),
      z.object({
        kind: z.literal('failed'),
        code: z.enum([
          'syntax',
          'threw',
          'timeout',
          'memory',
          'stack',
          'never_settled',
          'not_json',
          'output_too_large',
          'output_too_deep',
          'sandbox_failed',
        ]),
        message: z.string(),
        line: z.number().optional(),
        column: z.number().optional(),
        logs,
      }),
    ]),
  }),
]);

interface Task {
  readonly job: GuestJob;
  readonly settle: (outcome: GuestOutcome) => void;
}

/**
 * One thread with the engine in it, for one execution at a time. It starts with its first execution. When an execution
 * does not end by itself, the thread is killed, and with it this object is of no more use.
 */
export class SandboxThread {
  readonly #worker: Worker;
  readonly #alarm = new Alarm(() => this.#onAlarm());
  #isReady = false;
  #isAlive = true;
  #task: Task | null = null;
  /** Settled once the thread is really gone. */
  #ended: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: { readonly logger: Logger; readonly graceMs: number }) {
    // Built code, also in tests: a thread can load neither TypeScript nor what jest makes of it.
    this.#worker = new Worker(require.resolve('#workflows/sandbox-thread'), {
      name: 'sandbox',
      // Nothing of the process's environment is there to be found, should somebody get out of the machine.
      env: {},
      argv: [],
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
    });
    this.#worker.on('message', (message: unknown) => this.#onMessage(message));
    this.#worker.on('error', (error) => this.#onError(error));
    this.#worker.on('exit', () => this.#end('The thread of the sandbox ended.'));
    this.#worker.unref();
  }

  /** False once it was killed, or broke. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Runs the job to its outcome. Never rejects. One job at a time. */
  run(job: GuestJob, signal: AbortSignal): Promise<GuestOutcome> {
    return new Promise((resolve) => {
      const onAbort = () => this.#kill(sandboxFailure('aborted', 'The execution was stopped.'));
      const settle = (outcome: GuestOutcome) => {
        signal.removeEventListener('abort', onAbort);
        this.#alarm.clear();
        this.#task = null;
        // A killed thread keeps the process until it is gone: who waits for its place may have nothing else to.
        if (this.#isAlive) this.#worker.unref();
        resolve(outcome);
      };
      this.#task = { job, settle };
      // Somebody waits for it: the process stays until it is done.
      this.#worker.ref();
      signal.addEventListener('abort', onAbort);
      if (signal.aborted) onAbort();
      else if (this.#isReady) this.#send(job);
      else this.#alarm.setWithin(sandboxLimits.startMs);
    });
  }

  /** Ends the thread, whatever it does. */
  async close(): Promise<void> {
    this.#kill(sandboxFailure('aborted', 'The sandbox is being closed.'));
    await this.#ended;
  }

  #send(job: GuestJob): void {
    this.#alarm.clear();
    this.#alarm.setWithin(job.timeoutMs + this.options.graceMs);
    this.#worker.postMessage(job);
  }

  #onMessage(raw: unknown): void {
    const message = messageSchema.safeParse(raw);
    if (!message.success) {
      this.#kill(sandboxFailure('sandbox_failed', 'The thread of the sandbox said what nobody understands.'));
    } else if (message.data.kind === 'ready') {
      this.#isReady = true;
      if (this.#task) this.#send(this.#task.job);
    } else {
      this.#task?.settle(message.data.outcome);
    }
  }

  #onAlarm(): void {
    if (this.#task === null) return;
    const { timeoutMs } = this.#task.job;
    this.#kill(
      this.#isReady
        ? timedOut(timeoutMs, [])
        : sandboxFailure('sandbox_failed', 'The thread of the sandbox did not start.'),
    );
  }

  #onError(error: Error): void {
    this.#isAlive = false;
    const isMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    if (!isMemory) this.options.logger.error('a sandbox thread broke', { error });
    if (isMemory) this.#task?.settle(outOfMemory([]));
    this.#end('The thread of the sandbox broke.');
  }

  #end(message: string): void {
    this.#isAlive = false;
    this.#task?.settle(sandboxFailure('sandbox_failed', message));
  }

  #kill(outcome: GuestOutcome): void {
    if (this.#isAlive) {
      this.#isAlive = false;
      this.#ended = this.#worker.terminate();
    }
    this.#task?.settle(outcome);
  }

  /** Resolves when a killed thread is gone; at once for one that lives. */
  get ended(): Promise<unknown> {
    return this.#ended;
  }
}
