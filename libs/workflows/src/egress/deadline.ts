import { EgressFault } from './fault';

/**
 * The end of one request, whichever comes first: its time is up, or its run is stopped. `signal` aborts with an
 * `EgressFault`, and `race` settles at once even while name resolution or a connect can not be interrupted.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: AbortSignal;
  readonly #stopped: AbortSignal | undefined;

  constructor(timeoutMs: number, stopped: AbortSignal | undefined) {
    this.#timer = AbortSignal.timeout(timeoutMs);
    this.#stopped = stopped;
    this.#timer.addEventListener('abort', this.#onTimeout);
    stopped?.addEventListener('abort', this.#onStop);
    if (stopped?.aborted === true) this.#onStop();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Runs the work. The deadline wins even over work that does not listen to the signal. */
  async race<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      this.signal.throwIfAborted();
      return await Promise.race([this.#ended(), work(this.signal)]);
    } catch (error) {
      // Work that failed may have left an answer half read: its connection is closed, not kept.
      this.#controller.abort(error);
      throw error;
    } finally {
      this.#timer.removeEventListener('abort', this.#onTimeout);
      this.#stopped?.removeEventListener('abort', this.#onStop);
    }
  }

  #ended(): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true });
    });
  }

  readonly #onTimeout = (): void => {
    this.#controller.abort(new EgressFault('timeout', 'The time for this request is up.'));
  };

  readonly #onStop = (): void => {
    this.#controller.abort(
      new EgressFault('aborted', 'The request was given up because its run was stopped.'),
    );
  };
}
