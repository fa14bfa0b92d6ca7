import { DAY_MS, HORIZON_MS } from './civil';
import type { FirePoint, FireSource } from './fire-source';
import { NEVER, type WallPattern } from './wall-pattern';
import type { ZoneRules, ZoneSegment } from './zone-rules';

/** What becomes of a time that clocks leave out. */
export type GapPolicy = 'next' | 'skip' | 'shift';
/** At which passing a time fires that clocks show twice. */
export type FoldPolicy = 'first' | 'second' | 'both';

export interface ClockChangePolicy {
  readonly gap: GapPolicy;
  readonly fold: FoldPolicy;
}

/** No gap and no offset is larger, so that what fires at a wall fires within this of it. */
const REACH_MS = 3 * DAY_MS;

/**
 * The instants at which the walls of a pattern are shown in a zone. Time is walked from one clock change to the next. Between
 * two, instants and walls differ by a constant, and one question to the pattern answers; what is special about a change is
 * decided where a stretch begins or ends.
 */
export class ZonedFiring implements FireSource {
  constructor(
    private readonly pattern: WallPattern,
    private readonly zone: ZoneRules,
    private readonly policy: ClockChangePolicy,
  ) {}

  next(afterMs: number): number {
    let fromMs = afterMs + 1;
    while (fromMs <= HORIZON_MS) {
      const segment = this.zone.segmentAt(fromMs);
      const wall = this.pattern.next(fromMs + segment.offsetMs);
      const fire = Math.min(this.#inGap(segment, fromMs), this.#regular(segment, wall));
      if (fire < segment.endMs) return fire;
      // Where clocks are set back, walls come again that this question did not ask for.
      const isSetBack = segment.offsetAfterMs < segment.offsetMs;
      fromMs = isSetBack ? segment.endMs : Math.max(segment.endMs, wall - REACH_MS);
    }
    return NEVER;
  }

  describe(ms: number): FirePoint {
    const segment = this.zone.segmentAt(ms);
    const { startMs, endMs, offsetMs, offsetBeforeMs, offsetAfterMs } = segment;
    const wall = ms + offsetMs;
    const point = { atMs: ms, offsetMs };
    if (this.pattern.next(wall) !== wall || this.#regular(segment, wall) !== ms) {
      const missed =
        this.policy.gap === 'shift' ? ms + offsetBeforeMs : this.pattern.next(startMs + offsetBeforeMs);
      return { ...point, change: { kind: 'moved', wallMs: missed } };
    }
    if (wall < startMs + offsetBeforeMs) return { ...point, change: { kind: 'second_pass' } };
    if (wall >= endMs + offsetAfterMs) return { ...point, change: { kind: 'first_pass' } };
    return point;
  }

  /** When the first wall of a stretch fires that may do so; the end of the stretch or later when none does. */
  #regular(segment: ZoneSegment, firstWall: number): number {
    const { startMs, endMs, offsetMs, offsetBeforeMs, offsetAfterMs } = segment;
    let wall = firstWall;
    if (this.policy.fold === 'first' && wall < startMs + offsetBeforeMs) {
      wall = this.pattern.next(startMs + offsetBeforeMs);
    }
    if (this.policy.fold === 'second' && wall >= endMs + offsetAfterMs) return NEVER;
    return wall - offsetMs < endMs ? wall - offsetMs : NEVER;
  }

  /** When a wall fires that was left out where the stretch begins. */
  #inGap(segment: ZoneSegment, fromMs: number): number {
    const { startMs, offsetMs, offsetBeforeMs } = segment;
    const [gapStart, gapEnd] = [startMs + offsetBeforeMs, startMs + offsetMs];
    if (gapEnd <= gapStart || this.policy.gap === 'skip') return NEVER;
    if (this.policy.gap === 'next') {
      return fromMs <= startMs && this.pattern.next(gapStart) < gapEnd ? startMs : NEVER;
    }
    // What was left out fires as long after the change as it lies after the beginning of the gap.
    const missed = this.pattern.next(Math.max(gapStart, fromMs + offsetBeforeMs));
    return missed < gapEnd ? missed - offsetBeforeMs : NEVER;
  }
}
