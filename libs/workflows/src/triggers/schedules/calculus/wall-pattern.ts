/** What an endless search answers. */
export const NEVER = Infinity;

/** What a schedule says about clocks on a wall: it knows no zone, and no clock that is changed. */
export interface WallPattern {
  /** Whether it means every passing of a time (each quarter of an hour) and not an appointment (at nine). */
  readonly isInterval: boolean;
  /** The first wall at or after this one, in milliseconds; `NEVER` when there is none up to the horizon. */
  next(wallMs: number): number;
}
