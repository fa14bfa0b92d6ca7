/** Where a run comes from, when it is not the first of its kind. */
export interface RunOrigin {
  /** The node that called it, and waits for its end. */
  readonly parent?: { readonly runId: string; readonly nodeId: string; readonly iteration: string };
  /** The run whose node started it without waiting. */
  readonly startedByRun?: string;
  /** How many calls lead to it. */
  readonly depth?: number;
  /** The run that it does again; with `from` only from that node on. */
  readonly rerunOf?: string;
  readonly from?: string;
  /** The run that failed and was requeued as this one. */
  readonly deadLetter?: string;
  /** The run that failed and that this one is about. */
  readonly errorOf?: string;
}
