import { type AccessChanges, sleep } from '#platform';

/** Somebody who waits for news. */
export interface Watch {
  /** Waits for news, for so long at most, or for the end; what came since the last call counts. Says whether it was news. */
  next(waitMs: number, closed: AbortSignal): Promise<boolean>;
  end(): void;
}

/** Who waits for news of what, and whose access that depends on (`user:…`, `workspace:…`). */
export class Watchers {
  readonly #watching = new Map<string, Set<() => void>>();
  readonly #readers = new Map<string, Set<() => void>>();
  #listens = false;

  constructor(private readonly accessChanges: AccessChanges) {}

  watch(thing: string, subjects: readonly string[]): Watch {
    if (!this.#listens)
      this.accessChanges.on((subject) => wake(this.#readers, subject === null ? null : [subject]));
    this.#listens = true;
    let news = new AbortController();
    const told = () => news.abort();
    enter(this.#watching, thing, told);
    for (const subject of subjects) enter(this.#readers, subject, told);
    return {
      next: async (waitMs, closed) => {
        await sleep(waitMs, AbortSignal.any([news.signal, closed]));
        const isNews = news.signal.aborted;
        news = new AbortController();
        return isNews;
      },
      end: () => {
        leave(this.#watching, thing, told);
        for (const subject of subjects) leave(this.#readers, subject, told);
      },
    };
  }

  /** Wakes those who watch these things; all with null. */
  tell(things: readonly string[] | null): void {
    wake(this.#watching, things);
  }
}

function wake(watchers: ReadonlyMap<string, ReadonlySet<() => void>>, keys: readonly string[] | null): void {
  for (const key of keys ?? watchers.keys()) for (const told of watchers.get(key) ?? []) told();
}

function enter(watchers: Map<string, Set<() => void>>, key: string, told: () => void): void {
  watchers.set(key, (watchers.get(key) ?? new Set()).add(told));
}

function leave(watchers: Map<string, Set<() => void>>, key: string, told: () => void): void {
  const left = watchers.get(key);
  left?.delete(told);
  if (left?.size === 0) watchers.delete(key);
}
