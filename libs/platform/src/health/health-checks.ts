import { Injectable } from '@nestjs/common';
import { Lifecycle, type LifecyclePhase } from '../lifecycle/lifecycle';
import { Logger } from '../log/logger';
import { Clock } from '../time/clock';

/** A dependency that does not answer within this time is down as far as readiness goes. */
const CHECK_TIMEOUT_MS = 2_000;

/** State of one dependency. `detail` is public: a sentence without addresses or credentials. */
export interface CheckState {
  readonly status: 'up' | 'down';
  readonly detail?: string;
}

/** What `/health/ready` answers with. */
export interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly phase: LifecyclePhase;
  readonly checks: Readonly<Record<string, CheckState & { readonly tookMs: number }>>;
}

/** Looks at one dependency; throwing means it is down. */
export type HealthCheck = () => Promise<CheckState>;

/** The dependencies that this process cannot serve without. Any lib adds its own. */
@Injectable()
export class HealthChecks {
  readonly #checks = new Map<string, HealthCheck>();
  readonly #logger: Logger;
  #running: Promise<Readiness> | null = null;

  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly clock: Clock,
    logger: Logger,
  ) {
    this.#logger = logger.scoped('health');
  }

  /** Adds a check under a unique name. */
  add(name: string, check: HealthCheck): void {
    if (this.#checks.has(name)) throw new Error(`Two health checks are named "${name}".`);
    this.#checks.set(name, check);
  }

  /** Runs all checks side by side. Callers at the same time share one run, so probing cannot load the database. */
  ready(): Promise<Readiness> {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<Readiness> {
    const entries = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await this.#state(name, check)] as const),
    );
    const { phase } = this.lifecycle;
    const isReady = phase === 'ready' && entries.every(([, { status }]) => status === 'up');
    return { status: isReady ? 'ready' : 'not_ready', phase, checks: Object.fromEntries(entries) };
  }

  async #state(name: string, check: HealthCheck): Promise<CheckState & { readonly tookMs: number }> {
    const startMs = this.clock.monotonicMs();
    const state = await withTimeout(check).catch((error: unknown): CheckState => {
      this.#logger.warn('A health check failed.', { check: name, error });
      return { status: 'down' };
    });
    return { ...state, tookMs: Math.round(this.clock.monotonicMs() - startMs) };
  }
}

/** Races a check against the time limit. Its late result, good or bad, is of no interest any more. */
async function withTimeout(check: HealthCheck): Promise<CheckState> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckState>((resolve) => {
    timer = setTimeout(
      () => resolve({ status: 'down', detail: 'It did not answer in time.' }),
      CHECK_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([check(), late]);
  } finally {
    clearTimeout(timer);
  }
}
