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

/** An entry is some kilobytes. */
const MAX_OPEN = 20_000;

/** Schedules made ready to be asked, kept for the next time: reading an expression takes longer than asking it. */
@Injectable()
export class ScheduleBook {
  readonly #open = new Map<string, { readonly text: string; readonly open: OpenSchedule }>();

  /** The schedule with an id and these params, which were accepted when they were published. Throws when they are none. */
  open(id: string, params: JsonObject): OpenSchedule {
    const text = JSON.stringify(params);
    const known = this.#open.get(id);
    if (known?.text === text) return known.open;
    const open = openSchedule(id, params);
    this.#open.delete(id);
    this.#open.set(id, { text, open });
    const [oldest] = this.#open.keys();
    if (this.#open.size > MAX_OPEN && oldest !== undefined) this.#open.delete(oldest);
    return open;
  }
}

function openSchedule(id: string, raw: JsonObject): OpenSchedule {
  const params = scheduleParams.parse(raw);
  const compiled = compileSchedule(params);
  const { catchUp, catchUpMax, overlap, autoPauseAfter = null, maxRuns = null, jitterSeconds = 0 } = params;
  return {
    params,
    compiled,
    policies: { catchUp, catchUpMax, overlap, autoPauseAfter, maxRuns },
    timetable: {
      next: (afterMs) => compiled.next(afterMs),
      fireMs: (dueMs) => dueMs + (jitterSeconds === 0 ? 0 : jitterMs(id, dueMs, jitterSeconds)),
    },
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
