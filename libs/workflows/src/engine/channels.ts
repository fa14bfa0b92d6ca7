/** PostgreSQL notification channels of one cell. What travels there is a hint: losing it costs latency only. */
export const channels = {
  /** A checkpoint was committed: run ids joined by commas, or `*` when they are too many to name. */
  progress: (cellId: string) => `${cellId}_progress`,
  /** There is something to do: empty for new work in the queue, or the id of a run that is to be canceled. */
  work: (cellId: string) => `${cellId}_work`,
} as const;
