import { join } from 'node:path';
import { type Environment, MillraceProcess } from '../../apps/api/test/support/millrace-process';
import type { Collapse, ProcessLife } from '../history/history';
import type { DatabaseProxy } from './database-proxy';
import { ROOT } from '../../apps/api/test/support/built-application';

/** What a member of the fleet is started with. */
export interface MemberOptions {
  readonly slot: string;
  readonly role: 'api' | 'worker';
  readonly proxy: DatabaseProxy;
  readonly environment: Environment;
  /** The built main program, of the product or of a copy that was broken on purpose. */
  readonly program: string;
  /** A module loaded before the program; by default one that does nothing but end with the lab. */
  readonly preload?: string;
  /** Whether a process that ends unasked is started again. */
  readonly supervised?: boolean;
}

/** One process in its place. */
export interface Life {
  readonly name: string;
  readonly process: MillraceProcess;
  readonly ready: Promise<boolean>;
  isReady: boolean;
  endedAtMs: number | null;
}

/** Whoever supervises processes waits a moment before the next start. */
const RESTART_MS = 200;
/** What a process said last. */
const LAST_WORDS = 1_500;

/** A place for one process of the product, in which one follows another. */
export class Member {
  readonly #lives: Life[] = [];
  readonly #collapses: Collapse[] = [];
  #frozen = false;
  #stopping = false;

  constructor(readonly options: MemberOptions) {}

  /** The process of now, or the last one. */
  get current(): Life {
    const life = this.#lives.at(-1);
    if (!life) throw new Error(`${this.options.slot} was never started.`);
    return life;
  }

  get isAlive(): boolean {
    return this.#lives.length > 0 && this.current.endedAtMs === null;
  }

  get isFrozen(): boolean {
    return this.#frozen;
  }

  /** Every process there was. */
  get lives(): readonly ProcessLife[] {
    const { role } = this.options;
    return this.#lives.map(({ name, endedAtMs }) => ({ name, role, endedAtMs }));
  }

  /** Processes that ended although nobody asked them to. */
  get collapses(): readonly Collapse[] {
    return this.#collapses;
  }

  /** Starts the next process, with more in its environment if need be. */
  start(more: Environment = {}): Life {
    const { slot, proxy, environment, program, preload } = this.options;
    const name = `${slot}#${this.#lives.length + 1}`;
    this.#stopping = false;
    proxy.process = name;
    const started = MillraceProcess.spawn(
      { ...environment, ...more },
      {
        program,
        preload: preload ?? join(ROOT, 'chaos/preload/ends-with-lab.cjs'),
      },
    );
    const life: Life = {
      name,
      process: started,
      ready: started.ready().then(
        () => {
          life.isReady = true;
          return true;
        },
        () => {
          // It has ended, or it has been starting for a minute: then the next one shall try.
          if (life.endedAtMs === null) void started.kill('SIGKILL');
          return false;
        },
      ),
      isReady: false,
      endedAtMs: null,
    };
    this.#lives.push(life);
    void started.ended.then(() => this.#ended(life));
    return life;
  }

  /** A process that ends unasked (its start fails while the database is away) is started again. */
  #ended(life: Life): void {
    const isExpected = life.endedAtMs !== null || this.#stopping;
    life.endedAtMs ??= Date.now();
    if (isExpected || this.options.supervised === false) return;
    const lastWords = life.process.output.trim().slice(-LAST_WORDS);
    this.#collapses.push({ process: life.name, wasReady: life.isReady, lastWords });
    setTimeout(() => {
      if (!this.#stopping && this.current === life) this.start();
    }, RESTART_MS);
  }

  /** Kills the process and starts the next. Gives the name of the one that was killed. */
  async killAndStart(): Promise<void> {
    const life = this.current;
    life.endedAtMs ??= Date.now();
    await life.process.kill('SIGKILL');
    // Connections of the dead are not mistaken for those of the next.
    this.options.proxy.cut();
    this.start();
  }

  freeze(): void {
    this.#frozen = true;
    this.current.process.signal('SIGSTOP');
  }

  thaw(): void {
    this.#frozen = false;
    this.current.process.signal('SIGCONT');
  }

  /** Stops the process in good order; none follows until the next `start`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#lives.length > 0) await this.current.process.stop();
  }
}
