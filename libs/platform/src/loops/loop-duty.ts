/** Which processes perform a duty. */
export type ProcessRole = 'api' | 'worker' | 'scheduler';

/** What one round of a loop did, for metrics and logs. */
export interface LoopResult {
  /** Rows (or items) worked on. A round that was full asks to be run again at once by `again`. */
  readonly rows: number;
  readonly again?: boolean;
}

/**
 * A background duty: `Loops` runs `runOnce` every `everyMs` (with jitter), never two rounds at a time, at once when
 * woken, until stopped. A round that throws is logged and counted; the next one comes after a backoff.
 */
export interface LoopDuty {
  /** kebab-case, unique: `mail-outbox`, `lease-rescuer`. */
  readonly name: string;
  readonly role: ProcessRole;
  readonly everyMs: number;
  runOnce(signal: AbortSignal): Promise<LoopResult>;
}
