import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../history/history';
import type { EffectRecorder } from '../lab/effect-recorder';
import type { FakeClock } from '../lab/fake-clock';
import { type Fleet, LEASE_MS } from '../lab/fleet';
import type { LabDatabase, LabServer } from '../lab/lab-server';
import type { Member } from '../lab/member';
import type { SeededRandom } from '../random';
import type { PlannedFault } from './plan';

/** How long a process is frozen: so long that another has taken over what it held. */
const FROZEN_MS = 3 * LEASE_MS;
/** A frozen process that goes on has this long before those that repeat its calls are answered. */
const HEAD_START_MS = 400;

/** Runs that are started to have a worker at work when it is frozen; how long one is waited for, and how often looked. */
const BURST = 12;
const BUSY_WITHIN_MS = 2_000;
const BUSY_LOOK_MS = 3;
/** Runs that were just started are in a worker's hands by then. */
const CLAIMED_MS = 100;

/** What faults are done to. */
export interface Target {
  readonly server: LabServer;
  readonly database: LabDatabase;
  readonly fleet: Fleet;
  readonly recorder: EffectRecorder;
  readonly clock: FakeClock | undefined;
  readonly random: SeededRandom;
  readonly startRuns: (count: number) => void;
}

/** Does what was planned, and notes what it did to whom and when. */
export class Injector {
  readonly faults: Fault[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #frozen = 0;

  constructor(private readonly target: Target) {}

  /** Begins a fault. Gives false when there is nobody to do it to at the moment. */
  async inject(fault: PlannedFault): Promise<boolean> {
    const { server, database, fleet, random } = this.target;
    switch (fault.kind) {
      case 'kill worker':
      case 'kill api':
        return this.#kill(fault);
      case 'freeze':
        return this.#freeze();
      case 'kill postgres':
        this.#note(fault.kind, null);
        server.kill();
        return true;
      case 'terminate connections':
        this.#note(fault.kind, null);
        await database.terminateConnections();
        return true;
      case 'cut line':
        return this.#cut(random.pick(fleet.members));
      case 'disturb line':
        if (readyOf(fleet.members).length === 0) return false;
        return this.#disturb(random.pick(readyOf(fleet.members)), fault);
      case 'move clock':
        return this.#moveClock(fault.offset);
      default:
        return fault satisfies never;
    }
  }

  /** Until faults that last are over. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #note(kind: string, process: string | null): void {
    this.faults.push({ kind, process, atMs: Date.now() });
  }

  #begin(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  /**
   * Kills one that runs. Mostly one that takes part, and not the last one that does: a lab in which all are just
   * starting shows nothing. Now and then one that is starting, if there is one.
   */
  async #kill(fault: PlannedFault & { readonly kind: 'kill worker' | 'kill api' }): Promise<boolean> {
    const { fleet, random } = this.target;
    const places = fault.kind === 'kill api' ? [fleet.api] : fleet.workers;
    const alive = places.filter((member) => member.isAlive && !member.isFrozen);
    const starting = fault.starting ? alive.filter(({ current }) => !current.isReady) : [];
    // The one that was killed before may take part already: nobody else is going to start.
    const among = starting.length > 0 ? starting : readyOf(alive);
    const least = fault.kind === 'kill api' || starting.length > 0 ? 1 : 2;
    if (among.length < least) return false;
    const victim = random.pick(among);
    this.#note(fault.kind, victim.current.name);
    await victim.killAndStart();
    return true;
  }

  /** Freezes one that has calls under way, so that it has something to say when it goes on. */
  async #freeze(): Promise<boolean> {
    const { fleet, recorder, startRuns } = this.target;
    startRuns(BURST);
    const until = Date.now() + BUSY_WITHIN_MS;
    while (Date.now() < until) {
      const ready = readyOf(fleet.workers.filter((member) => member.isAlive && !member.isFrozen));
      const busy = ready.find(({ current }) => recorder.underWay(current.name) > 0);
      // Somebody must be left to take over.
      if (busy && ready.length > 1) {
        this.#begin(this.#keepFrozen(busy));
        return true;
      }
      await delay(BUSY_LOOK_MS);
    }
    return false;
  }

  async #keepFrozen(victim: Member): Promise<void> {
    const { recorder } = this.target;
    this.#note('freeze', victim.current.name);
    victim.freeze();
    this.#frozen += 1;
    recorder.holdRepeats(true);
    await delay(FROZEN_MS);
    victim.thaw();
    await delay(HEAD_START_MS);
    this.#frozen -= 1;
    if (this.#frozen === 0) recorder.holdRepeats(false);
  }

  /** Moves the clock while runs begin: what it is asked just then is what can go wrong. */
  async #moveClock(offset: string): Promise<boolean> {
    const { fleet, clock, startRuns } = this.target;
    startRuns(BURST);
    await delay(CLAIMED_MS);
    this.#note('move clock', fleet.workers.at(-1)?.current.name ?? null);
    clock?.move(offset);
    return true;
  }

  #cut(victim: Member): boolean {
    this.#note('cut line', victim.current.name);
    victim.options.proxy.cut();
    return true;
  }

  #disturb(victim: Member, fault: Extract<PlannedFault, { kind: 'disturb line' }>): boolean {
    const { proxy } = victim.options;
    this.target.startRuns(BURST);
    this.#note(`line ${fault.line.kind}`, victim.current.name);
    proxy.line = fault.line;
    const heal = async (): Promise<void> => {
      await delay(fault.forMs);
      // Another disturbance of the same line may have begun meanwhile; it has a time of its own.
      if (proxy.line !== fault.line) return;
      proxy.line = { kind: 'open' };
      if (fault.thenCut) proxy.cut();
    };
    this.#begin(heal());
    return true;
  }
}

function readyOf(members: readonly Member[]): readonly Member[] {
  return members.filter(({ current }) => current.isReady);
}
