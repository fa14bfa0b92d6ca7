/** When a schedule fires: exactly one of `cron`, `every`, `rrule` and `dates`, and what holds for each of them. */
export interface ScheduleTiming {
  readonly cron?: string | undefined;
  readonly every?: EveryTiming | undefined;
  readonly rrule?: string | undefined;
  readonly dates?: readonly string[] | undefined;
  readonly timezone?: string | undefined;
  readonly gap?: 'next' | 'skip' | 'shift' | undefined;
  readonly fold?: 'auto' | 'first' | 'second' | 'both' | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly except?: readonly string[] | undefined;
  readonly maxRuns?: number | undefined;
  readonly jitterSeconds?: number | undefined;
}

export interface EveryTiming {
  readonly amount: number;
  readonly unit: 'seconds' | 'minutes' | 'hours' | 'days' | 'weeks' | 'months';
}

/** What is wrong with a timing, and where. */
export interface TimingProblem {
  /** RFC 6901, from the timing: `/dates/3`. */
  readonly pointer: string;
  readonly path: readonly (string | number)[];
  /** A sentence: what is wrong, with which value, and what to do. */
  readonly message: string;
}
