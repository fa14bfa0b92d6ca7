import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from '../history/history';
import type { Place } from '../history/place';
import type { SeededRandom } from '../random';

/** Some calls come before the node waits for them, some long after its run was parked. */
const AFTER_MS = [0, 20, 150, 700] as const;
/** One address in so many is called twice, by two who do not know of each other. */
const TWICE_EVERY = 4;
const AGAIN_MS = 150;
const PATIENCE_MS = 4_000;
/** Somebody has called before; or the run is over, which a run that waits for this call is not. */
const REFUSED = new Set([404, 409, 410]);

/** Calls nodes that wait for it, each time with another number, and again until it is answered. */
export class Callbacks {
  readonly made: Message[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(private readonly random: SeededRandom) {
    // Each call that is under way listens.
    setMaxListeners(0, this.#stopping.signal);
  }

  /** Begins to call a place at an address. */
  make(place: Place, url: string): void {
    this.#begin(place, url);
    if (this.random.between(1, TWICE_EVERY) === 1) this.#begin(place, url);
  }

  /** Gives up what was not answered. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#underWay);
  }

  #begin(place: Place, url: string): void {
    const message = { ...place, kind: 'callback' as const, number: this.made.length + 1, acceptedAtMs: null };
    this.made.push(message);
    const work = this.#call(message, { url, afterMs: this.random.pick(AFTER_MS) });
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  async #call(
    message: { -readonly [K in keyof Message]: Message[K] },
    { url, afterMs }: { readonly url: string; readonly afterMs: number },
  ): Promise<void> {
    const { signal } = this.#stopping;
    await delay(afterMs, undefined, { signal }).catch(() => undefined);
    while (!signal.aborted) {
      const status = await posted(url, { number: message.number }, signal);
      if (status === 202) message.acceptedAtMs = Date.now();
      if (status === 202 || REFUSED.has(status)) return;
      await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The status of the answer; 0 when there was none. */
async function posted(url: string, body: object, stopping: AbortSignal): Promise<number> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.any([stopping, AbortSignal.timeout(PATIENCE_MS)]),
  }).catch(() => null);
  await answer?.arrayBuffer().catch(() => undefined);
  return answer?.status ?? 0;
}
