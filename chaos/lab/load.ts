import { setTimeout as delay } from 'node:timers/promises';
import type { Start } from '../history/history';
import { type Asked, askedBy, type Graph, inputFor, type LoadInput } from '../load/graph';
import type { SeededRandom } from '../random';
import type { ApiClient } from '../../apps/api/test/support/api-client';
import type { Customer } from './customers';

/** Longer than a start takes while everything goes on; shorter than the faults, so that clients do give up. */
const PATIENCE_MS = 4_000;
const AGAIN_MS = 150;
/** One in so many clients hangs up so soon that its start may be accepted just then, and asks again. */
const HASTY_EVERY = 10;
const HASTY_MS = { least: 5, most: 60 } as const;
/** A start that nobody accepts for so long is left alone, and none of it may be found later. */
const GIVE_UP_MS = 120_000;

/** As many ask at a time: a server that comes back is not to be buried under those who wait for it. */
const CLIENTS = 24;

/** A start and what it was about. */
type Begun = { -readonly [K in keyof Start]: Start[K] } & {
  runIds: string[];
  readonly graph: Graph;
  readonly input: LoadInput;
};

/** A client that starts runs, each under a key of its own, until it has an answer. */
export class Load {
  readonly #asked: Begun[] = [];
  readonly #clients = new Set<Promise<void>>();
  #waiting = 0;

  constructor(
    private readonly customers: readonly Customer[],
    private readonly random: SeededRandom,
  ) {}

  get starts(): readonly Start[] {
    return this.#asked;
  }

  /** The runs that there may be: those that were started, and those that these call. */
  get asked(): readonly Asked[] {
    return this.#asked.flatMap(({ graph, input }) => askedBy(graph, input));
  }

  get accepted(): number {
    return this.#asked.filter(({ runIds }) => runIds.length > 0).length;
  }

  /** Starts that were begun or are to be. */
  get wanted(): number {
    return this.#asked.length + this.#waiting;
  }

  /** Starts that have no answer yet, those included that are to be begun. */
  get open(): number {
    return this.#clients.size + this.#waiting;
  }

  /** Begins so many more starts, as soon as clients are free. */
  want(more: number): void {
    this.#waiting += Math.max(0, more);
    while (this.#clients.size < Math.min(CLIENTS, this.open)) {
      const client = this.#work();
      this.#clients.add(client);
      void client.finally(() => this.#clients.delete(client));
    }
  }

  /** Starts one run and waits for its acceptance; each attempt asks the server of then. */
  async startOne(url: () => string): Promise<Start> {
    const before = this.#asked.length;
    await this.#start(url);
    const asked = this.#asked[before];
    if (!asked) throw new Error('Nothing was asked for.');
    return asked;
  }

  /** Until every start has been answered or given up. */
  async idle(): Promise<void> {
    while (this.#clients.size > 0) await Promise.all(this.#clients);
  }

  async #work(): Promise<void> {
    while (this.#waiting > 0) {
      this.#waiting -= 1;
      await this.#start();
    }
  }

  async #start(url?: () => string): Promise<void> {
    const { account, workflows } = this.random.pick(this.customers);
    const { graph, published } = this.random.pick(workflows);
    const key = `start-${this.#asked.length + 1}`;
    const asked: Begun = {
      key,
      graph,
      workspaceId: account.workspaceId,
      askedAtMs: Date.now(),
      runIds: [],
      unanswered: 0,
      input: inputFor(this.random, key),
    };
    this.#asked.push(asked);
    while (asked.runIds.length === 0 && Date.now() - asked.askedAtMs < GIVE_UP_MS) {
      const api = url === undefined ? account.api : account.api.at(url());
      const isHasty = asked.unanswered === 0 && this.random.between(1, HASTY_EVERY) === 1;
      const patienceMs = isHasty ? this.random.between(HASTY_MS.least, HASTY_MS.most) : PATIENCE_MS;
      const runId = await attempt({ api, path: published.path, asked, patienceMs });
      if (runId !== null) asked.runIds.push(runId);
      else {
        asked.unanswered += 1;
        await delay(AGAIN_MS);
      }
    }
  }
}

/** Asks once. Null: no answer, or one that asks to come back; a refusal is a fault of the lab. */
async function attempt({
  api,
  path,
  asked,
  patienceMs,
}: {
  readonly api: ApiClient;
  readonly path: string;
  readonly asked: Begun;
  readonly patienceMs: number;
}): Promise<string | null> {
  const { status, body, text } = await api
    .send('POST', `${path}/runs`, {
      headers: { 'content-type': 'application/json', 'idempotency-key': asked.key },
      body: JSON.stringify({ input: asked.input }),
      signal: AbortSignal.timeout(patienceMs),
    })
    .catch(() => ({ status: 0, body: null, text: '' }));
  if (status === 200 || status === 201) return String(body.id);
  if (status === 0 || status === 429 || status >= 500) return null;
  throw new Error(`A start was refused with ${status}: ${text}`);
}
