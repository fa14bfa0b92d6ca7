import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { sleep } from '../time/sleep';

const PAUSE_MS = { first: 100, longest: 2_000 } as const;

/** Whether work of `Db` failed because the database could not be reached, which passes by itself. */
export function isOutage(error: unknown): boolean {
  return error instanceof AppError && error.type === platformErrors.unavailable;
}

/**
 * Does work again and again while the database is away, with growing pauses: an outage of ours is no reason for somebody's
 * run to fail. Any other error is thrown at once, and the outage itself once the signal is aborted.
 */
export async function outlastOutage<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  for (let pauseMs: number = PAUSE_MS.first; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS.longest)) {
    try {
      return await work();
    } catch (error) {
      if (!isOutage(error) || signal?.aborted) throw error;
      await sleep(pauseMs, signal);
      if (signal?.aborted) throw error;
    }
  }
}
