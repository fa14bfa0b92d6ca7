import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from '../history/history';
import { type Place, placeKey } from '../history/place';
import type { ApiClient } from '../../apps/api/test/support/api-client';
import type { Customer } from './customers';

const LOOK_MS = 300;
const PATIENCE_MS = 4_000;

/** What `GET …/decisions` tells of an attempt. */
type Waiting = Place & { readonly evidence: { readonly attempt: number } };

/**
 * The people who are asked about attempts that were interrupted. They always say that it is done, with a number that
 * nobody else gives: a repeat would be what must not happen. They look again as long as an attempt waits.
 */
export class Decider {
  readonly #made = new Map<string, { -readonly [K in keyof Message]: Message[K] }>();
  readonly #stopping = new AbortController();
  readonly #work: Promise<unknown>;

  constructor(customers: readonly Customer[]) {
    this.#work = Promise.all(customers.map((customer) => this.#serve(customer)));
  }

  get decisions(): readonly Message[] {
    return [...this.#made.values()];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
  }

  async #serve({ account: { api, home } }: Customer): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const { body } = await asked(api, `${home}/decisions?limit=100`);
      for (const waiting of (body?.data ?? []) as readonly Waiting[]) await this.#decide(api, home, waiting);
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #decide(api: ApiClient, home: string, { evidence, ...waiting }: Waiting): Promise<void> {
    const { runId, nodeId, iteration } = waiting;
    const place = { runId, nodeId, iteration };
    const known = this.#made.get(placeKey(place));
    const number = known?.number ?? -(this.#made.size + 1);
    const decision = known ?? { ...place, kind: 'decision', number, acceptedAtMs: null };
    this.#made.set(placeKey(place), decision);
    const { status } = await asked(api, `${home}/runs/${runId}/decide`, {
      nodeId,
      iteration,
      attempt: evidence.attempt,
      decision: 'skip',
      value: { body: { number } },
    });
    if (status === 200) decision.acceptedAtMs ??= Date.now();
  }
}

/** What is there, or with a body what came of saying it; without a status when there was no answer. */
async function asked(
  api: ApiClient,
  path: string,
  json?: object,
): Promise<{ readonly status: number; readonly body: Awaited<ReturnType<ApiClient['get']>>['body'] }> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const answer = json
    ? api.send('POST', path, {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(json),
        signal,
      })
    : api.send('GET', path, { signal });
  return answer.catch(() => ({ status: 0, body: null }));
}
