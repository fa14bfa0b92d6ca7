import { pointerTo } from '../../../definition/pointer';
import { DAY_MS, HORIZON_MS } from './civil';
import { CompiledSchedule, type ScheduleBounds } from './compiled-schedule';
import { CronPattern } from './cron/cron-pattern';
import { elapsedUnits, EveryCalendar, EveryElapsed } from './every';
import { Exceptions } from './exceptions';
import type { FireSource } from './fire-source';
import { EitherSource, ListedInstants, ListedWalls } from './listed';
import { beginningOf, endOf, type Moment, momentOf, wallOf } from './moment';
import { rrulePartsOf } from './rrule/rrule-parts';
import { RrulePattern } from './rrule/rrule-pattern';
import type { EveryTiming, ScheduleTiming, TimingProblem } from './schedule-timing';
import { quoted, TimingFault } from './timing-fault';
import { Until } from './until';
import type { WallPattern } from './wall-pattern';
import { ZonedFiring } from './zoned-firing';
import { ZoneRules } from './zone-rules';

/** A timing is none. Whoever stores timings has asked `timingProblems` before, or the schema, which does. */
export class InvalidTimingError extends Error {
  override readonly name = 'InvalidTimingError';

  constructor(readonly problems: readonly TimingProblem[]) {
    super(problems.map(({ pointer, message }) => `${pointer}: ${message}`).join(' '));
  }
}

/** Makes a timing ready to be asked. Throws an `InvalidTimingError`. */
export function compileSchedule(timing: ScheduleTiming): CompiledSchedule {
  const compiler = new ScheduleCompiler(timing);
  const schedule = compiler.compile();
  if (schedule === null || compiler.problems.length > 0) throw new InvalidTimingError(compiler.problems);
  return schedule;
}

/** The first instant of a date or a time in a zone; the text is a moment, and the zone there is. */
export function instantOf(text: string, timezone = 'UTC'): number {
  return beginningOf(momentOf(text), ZoneRules.of(timezone) ?? ZoneRules.utc);
}

/** Everything that is wrong with a timing whose members have the right types. */
export function timingProblems(timing: ScheduleTiming): readonly TimingProblem[] {
  const compiler = new ScheduleCompiler(timing);
  compiler.compile();
  return compiler.problems;
}

type Path = readonly (string | number)[];

class ScheduleCompiler {
  readonly problems: TimingProblem[] = [];
  readonly #zone: ZoneRules;

  constructor(private readonly timing: ScheduleTiming) {
    this.#zone = this.#zoneOf(timing.timezone ?? 'UTC');
  }

  compile(): CompiledSchedule | null {
    const start = this.#moment(['start'], this.timing.start);
    const end = this.#moment(['end'], this.timing.end);
    const bounds = this.#bounds(start, end);
    const exceptions = this.#exceptions(this.timing.except ?? []);
    const source = this.#source(start);
    return source === null ? null : new CompiledSchedule(source, bounds, exceptions);
  }

  #source(start: Moment | null): FireSource | null {
    const { cron, every, rrule, dates } = this.timing;
    const given = [cron, every, rrule, dates].filter((one) => one !== undefined).length;
    if (given !== 1) {
      const got = given === 0 ? 'none of them is there' : `${given} of them are`;
      this.#report([], `A schedule has exactly one of cron, every, rrule and dates: ${got}.`);
    }
    const sources = [
      cron === undefined ? null : this.#read(['cron'], () => this.#firing(new CronPattern(cron))),
      every === undefined ? null : this.#every(every, start),
      rrule === undefined ? null : this.#rrule(rrule, start),
      dates === undefined ? null : this.#dates(dates),
    ];
    return sources.find((source) => source !== null) ?? null;
  }

  #firing(pattern: WallPattern): FireSource {
    const { gap = 'next', fold = 'auto' } = this.timing;
    const atFold = fold === 'auto' ? (pattern.isInterval ? 'both' : 'first') : fold;
    return new ZonedFiring(pattern, this.#zone, { gap, fold: atFold });
  }

  #every({ amount, unit }: EveryTiming, start: Moment | null): FireSource {
    if (unit === 'seconds' || unit === 'minutes' || unit === 'hours') {
      const anchorMs = start === null ? 0 : beginningOf(start, this.#zone);
      return new EveryElapsed(amount * elapsedUnits[unit], anchorMs, this.#zone);
    }
    // 1970 began with a Thursday; weeks begin with a Monday.
    const epochWall = unit === 'weeks' ? 4 * DAY_MS : 0;
    const anchorWall = start === null ? epochWall : wallOf(start, this.#zone);
    return this.#firing(new EveryCalendar(amount, unit, anchorWall));
  }

  #rrule(text: string, start: Moment | null): FireSource | null {
    if (start === null) {
      if (this.timing.start === undefined) {
        this.#report(['start'], 'An rrule counts from its start: give `start`, as 2026-01-31T09:00.');
      }
      return null;
    }
    return this.#read(['rrule'], () => {
      const parts = rrulePartsOf(text);
      const source = this.#firing(new RrulePattern(parts, wallOf(start, this.#zone)));
      return parts.until === null ? source : new Until(source, endOf(parts.until, this.#zone));
    });
  }

  #dates(dates: readonly string[]): FireSource {
    const moments = dates.map((text, index) => this.#moment(['dates', index], text));
    const walls = moments.flatMap((one) => (one === null || one.kind === 'instant' ? [] : [one.wallMs]));
    const instants = moments.flatMap((one) => (one?.kind === 'instant' ? [one.atMs] : []));
    return new EitherSource(this.#firing(new ListedWalls(walls)), new ListedInstants(instants, this.#zone));
  }

  #exceptions(except: readonly string[]): Exceptions {
    const moments = except.map((text, index) => this.#moment(['except', index], text));
    const days = moments.flatMap((one) => (one?.kind === 'day' ? [one.wallMs / DAY_MS] : []));
    const walls = moments.flatMap((one) => (one?.kind === 'wall' ? [one.wallMs] : []));
    const instants = moments.flatMap((one) => (one?.kind === 'instant' ? [one.atMs] : []));
    // A wall that is excepted is so at each of its passings, and where a gap moves it to.
    const policy = { gap: this.timing.gap ?? 'next', fold: 'both' } as const;
    const excepted = new EitherSource(
      new ZonedFiring(new ListedWalls(walls), this.#zone, policy),
      new ListedInstants(instants, this.#zone),
    );
    return new Exceptions(this.#zone, new Set(days), excepted);
  }

  #bounds(start: Moment | null, end: Moment | null): ScheduleBounds {
    const startMs = start === null ? 0 : beginningOf(start, this.#zone);
    const endMs = end === null ? HORIZON_MS : Math.min(endOf(end, this.#zone), HORIZON_MS);
    if (endMs < startMs) {
      const { start: startText = 'the year 1970', end: endText = '' } = this.timing;
      this.#report(
        ['end'],
        `The end, ${endText}, lies before the start, ${startText}: nothing would ever fire.`,
      );
    }
    return { startMs, endMs };
  }

  #moment(path: Path, text: string | undefined): Moment | null {
    return text === undefined ? null : this.#read(path, () => momentOf(text));
  }

  #zoneOf(name: string): ZoneRules {
    const zone = ZoneRules.of(name);
    if (zone !== null) return zone;
    this.#report(['timezone'], `${quoted(name)} is no time zone: write a name like Europe/Berlin or UTC.`);
    return ZoneRules.utc;
  }

  #read<T>(path: Path, parse: () => T): T | null {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof TimingFault)) throw error;
      this.#report(path, error.message);
      return null;
    }
  }

  #report(path: Path, message: string): void {
    this.problems.push({ pointer: pointerTo(...path), path, message });
  }
}
