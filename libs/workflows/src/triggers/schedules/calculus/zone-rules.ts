import { civilOf, DAY_MS, FIRST_YEAR, LAST_YEAR, yearStart } from './civil';

/** A stretch of time in which the clocks of a zone are not changed. */
export interface ZoneSegment {
  readonly startMs: number;
  readonly endMs: number;
  /** What the wall is ahead of UTC. */
  readonly offsetMs: number;
  /** What it was before the start; the same where the start is none of a change, but of what was looked at. */
  readonly offsetBeforeMs: number;
  readonly offsetAfterMs: number;
}

interface ZoneChange {
  readonly atMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/**
 * No two changes of a zone that undo each other are closer together than this: the shortest stretch of any zone between 1970
 * and 2100 has seven days (Recife in 2000; Gaza in 2040, between Ramadan and winter).
 */
const PROBE_MS = 5 * DAY_MS;

/**
 * The clock changes of a time zone. `Intl` knows them but tells only what a clock shows, at a microsecond and more for each
 * question; so a year's changes are found once, by asking every fifth day and bisecting, and kept.
 */
export class ZoneRules {
  static readonly utc = new ZoneRules('UTC');
  static readonly #known = new Map<string, ZoneRules>([['utc', ZoneRules.utc]]);

  readonly #offsetName: Intl.DateTimeFormat;
  readonly #years = new Map<number, readonly ZoneChange[]>();
  #last: ZoneSegment | null = null;

  private constructor(name: string) {
    this.#offsetName = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  }

  /** The rules of a zone of the IANA database, of which there is one object; null when there is no such zone. */
  static of(name: string): ZoneRules | null {
    // Names are told apart without regard to case, so that there are no more entries than zones.
    const key = name.toLowerCase();
    const found = this.#known.get(key);
    if (found !== undefined) return found;
    if (!isZone(name)) return null;
    const rules = new ZoneRules(name);
    this.#known.set(key, rules);
    return rules;
  }

  /** The stretch that an instant is in. */
  segmentAt(ms: number): ZoneSegment {
    const last = this.#last;
    if (last !== null && ms >= last.startMs && ms < last.endMs) return last;
    const segment = this.#segmentAt(ms);
    this.#last = segment;
    return segment;
  }

  offsetAt(ms: number): number {
    return this.segmentAt(ms).offsetMs;
  }

  /** The instants at which the wall shows this: none in a gap, two where clocks were set back. */
  instantsOf(wallMs: number): readonly number[] {
    // No zone is farther than this from UTC, and no change is larger.
    const candidates = [wallMs - DAY_MS, wallMs, wallMs + DAY_MS].map((ms) => wallMs - this.offsetAt(ms));
    const instants = [...new Set(candidates)].filter((ms) => ms + this.offsetAt(ms) === wallMs);
    return instants.toSorted((a, b) => a - b);
  }

  #segmentAt(ms: number): ZoneSegment {
    const { year } = civilOf(Math.floor(ms / DAY_MS));
    const changes = [year - 1, year, year + 1].flatMap((each) => this.#changesIn(each));
    const following = changes.findIndex(({ atMs }) => atMs > ms);
    const next = following < 0 ? undefined : changes[following];
    const previous = following < 0 ? changes.at(-1) : changes[following - 1];
    const offsetMs = previous?.afterMs ?? next?.beforeMs ?? this.#ask(ms);
    return {
      startMs: previous?.atMs ?? yearStart(year - 1) * DAY_MS,
      endMs: next?.atMs ?? yearStart(year + 2) * DAY_MS,
      offsetMs,
      offsetBeforeMs: previous?.beforeMs ?? offsetMs,
      offsetAfterMs: next?.afterMs ?? offsetMs,
    };
  }

  #changesIn(year: number): readonly ZoneChange[] {
    const found = this.#years.get(year);
    if (found !== undefined) return found;
    // Outside of the years in which anything fires nothing changes, so that there is an end to what is kept.
    const changes = year < FIRST_YEAR - 1 || year > LAST_YEAR + 1 ? [] : this.#findChanges(year);
    this.#years.set(year, changes);
    return changes;
  }

  #findChanges(year: number): readonly ZoneChange[] {
    const changes: ZoneChange[] = [];
    const end = yearStart(year + 1) * DAY_MS;
    let from = yearStart(year) * DAY_MS;
    let beforeMs = this.#ask(from);
    while (from < end) {
      const to = Math.min(from + PROBE_MS, end);
      if (this.#ask(to) === beforeMs) {
        from = to;
        continue;
      }
      const atMs = this.#bisect(from, to, beforeMs);
      // A change at the very end is the first one of the next year.
      if (atMs === end) break;
      const afterMs = this.#ask(atMs);
      changes.push({ atMs, beforeMs, afterMs });
      [from, beforeMs] = [atMs, afterMs];
    }
    return changes;
  }

  /** The first second of a stretch at which the offset is not this one any more. */
  #bisect(fromMs: number, toMs: number, beforeMs: number): number {
    let [low, high] = [fromMs / 1000, toMs / 1000];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#ask(middle * 1000) === beforeMs) low = middle;
      else high = middle;
    }
    return high * 1000;
  }

  #ask(ms: number): number {
    // As `1/1/1970, GMT-00:44:30`; UTC itself has nothing behind its GMT.
    const [, sign, hours, minutes, seconds = '0'] =
      /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(this.#offsetName.format(ms)) ?? [];
    if (sign === undefined) return 0;
    const size = (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000;
    return sign === '-' ? -size : size;
  }
}

function isZone(name: string): boolean {
  try {
    // Offsets are no zones: they know nothing of summer.
    return (
      /^[A-Z]/i.test(name) && Intl.DateTimeFormat('en-US', { timeZone: name }) instanceof Intl.DateTimeFormat
    );
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
