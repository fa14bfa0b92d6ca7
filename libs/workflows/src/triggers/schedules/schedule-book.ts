import { Injectable } from '@nestjs/common';
import type { JsonObject } from '../../definition/json';
import { type ScheduleParams, scheduleParams } from '../../nodes/trigger-schedule.node';
import { compileSchedule } from './calculus/compile-schedule';
import type { CompiledSchedule } from './calculus/compiled-schedule';
import { jitterMs } from './calculus/jitter';
import type { SchedulePolicies } from './decide';
import type { Timetable } from './pending';

/** A schedule that can be asked: when it fires, and what its author wants of the rest. */
export interface OpenSchedule {
  readonly timetable: Timetable;
  readonly policies: SchedulePolicies;
  readonly params: ScheduleParams;
  readonly compiled: CompiledSchedule;
}

/** What params say, whichever schedule has them. */
type ReadParams = Pick<OpenSchedule, 'params' | 'compiled' | 'policies'>;

/** An entry is some kilobytes. */
const MAX_READ = 20_000;

/**
 * Schedules made ready to be asked. Reading params takes longer than asking what they say, and many schedules have the same,
 * so they are read once.
 */
@Injectable()
export class ScheduleBook {
  readonly #read = new Map<string, ReadParams>();

  /** The schedule with an id and these params, which were accepted when they were published. Throws when they are none. */
  open(id: string, params: JsonObject): OpenSchedule {
    const read = this.#readOnce(params);
    const { compiled } = read;
    const { jitterSeconds = 0 } = read.params;
    const timetable: Timetable = {
      next: (afterMs) => compiled.next(afterMs),
      fireMs: (dueMs) => dueMs + (jitterSeconds === 0 ? 0 : jitterMs(id, dueMs, jitterSeconds)),
    };
    return { ...read, timetable };
  }

  #readOnce(params: JsonObject): ReadParams {
    const text = JSON.stringify(params);
    const read = this.#read.get(text) ?? readParams(params);
    // The one that was asked for longest ago goes first.
    this.#read.delete(text);
    this.#read.set(text, read);
    const [oldest] = this.#read.keys();
    if (this.#read.size > MAX_READ && oldest !== undefined) this.#read.delete(oldest);
    return read;
  }
}

function readParams(raw: JsonObject): ReadParams {
  const params = scheduleParams.parse(raw);
  const { catchUp, catchUpMax, overlap, autoPauseAfter = null, maxRuns = null } = params;
  return {
    params,
    compiled: compileSchedule(params),
    policies: { catchUp, catchUpMax, overlap, autoPauseAfter, maxRuns },
  };
}

/** When a schedule is due and fired next, as the database takes it. */
export interface NextFire {
  readonly dueAt: string;
  readonly fireAt: string;
}

/** The first occurrence strictly after an instant; null when there is none, or it has had all its runs. */
export function nextFire(
  { timetable, policies: { maxRuns } }: OpenSchedule,
  afterMs: number,
  fires = 0,
): NextFire | null {
  const dueMs = maxRuns !== null && fires >= maxRuns ? null : timetable.next(afterMs);
  if (dueMs === null) return null;
  return { dueAt: new Date(dueMs).toISOString(), fireAt: new Date(timetable.fireMs(dueMs)).toISOString() };
}
