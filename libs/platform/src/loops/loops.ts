import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { Config } from '../config/config';
import { Random } from '../ids/random';
import { Logger } from '../log/logger';
import { Clock } from '../time/clock';
import { Loop, type LoopBeat, type LoopHandle } from './loop';
import type { LoopDuty } from './loop-duty';

/** The list of every timer of the application; for those who make `Loops` by hand. */
export { SchedulerRegistry };

/**
 * Every background duty of the process. Duties are added while modules initialise, begin when the application has
 * booted, and end before any connection is closed. Those whose role this process lacks are never begun.
 */
@Injectable()
export class Loops implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #loops = new Map<string, Loop>();
  #phase: 'new' | 'started' | 'stopped' = 'new';

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly logger: Logger,
    private readonly timers: SchedulerRegistry,
  ) {}

  /** Adds a duty; its loop begins with the others, or at once if they have begun. Throws on a name used twice. */
  add(duty: LoopDuty): LoopHandle {
    if (this.#loops.has(duty.name)) throw new Error(`Two loops are named "${duty.name}".`);
    const { clock, random, timers } = this;
    const loop = new Loop(duty, { clock, random, timers, logger: this.logger.scoped('loops') });
    this.#loops.set(duty.name, loop);
    if (this.#phase === 'started' && this.#isOurs(loop)) loop.start();
    if (this.#phase === 'stopped') void loop.stop();
    return loop;
  }

  /** Begins every loop of this process's roles. Idempotent; does nothing after `stop`. */
  start(): void {
    if (this.#phase !== 'new') return;
    this.#phase = 'started';
    for (const loop of this.#ours()) loop.start();
  }

  /** Ends all loops for good and waits for their running rounds. Idempotent. */
  async stop(): Promise<void> {
    this.#phase = 'stopped';
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop()));
  }

  /** The pulse of each loop that runs in this process. */
  beats(): readonly LoopBeat[] {
    return this.#ours().map((loop) => loop.beat());
  }

  onApplicationBootstrap(): void {
    this.start();
  }

  /** The first of Nest's shutdown hooks; pools are closed in the last one. */
  async onModuleDestroy(): Promise<void> {
    await this.stop();
  }

  #ours(): readonly Loop[] {
    return [...this.#loops.values()].filter((loop) => this.#isOurs(loop));
  }

  #isOurs(loop: Loop): boolean {
    return this.config.values.roles.includes(loop.duty.role);
  }
}
