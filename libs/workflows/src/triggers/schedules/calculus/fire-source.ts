/** What a clock change has done to one firing. */
export type ClockChangeNote =
  /** The wall that was meant was left out. */
  | { readonly kind: 'moved'; readonly wallMs: number }
  /** The wall is shown twice, and this is the first or the second time. */
  | { readonly kind: 'first_pass' | 'second_pass' };

/** One firing, as a wall in the zone shows it. */
export interface FirePoint {
  readonly atMs: number;
  /** What the wall is ahead of UTC then. */
  readonly offsetMs: number;
  readonly change?: ClockChangeNote;
}

/** Instants, one after the other. */
export interface FireSource {
  /** The first instant after this one; `NEVER` when there is none. */
  next(afterMs: number): number;
  /** One of its instants, with what clock changes have to do with it. */
  describe(ms: number): FirePoint;
}
