/** What a timing may ask for. */
export const timingLimits = {
  cronLength: 200,
  rruleLength: 2_000,
  /** Of a `every`: as many seconds are more than three years. */
  amount: 100_000_000,
  dates: 1_000,
  exceptions: 1_000,
  maxRuns: 1_000_000_000,
} as const;
