/**
 * How long something has been computing. The wall clock alone would blame an evaluation for a host that was busy with
 * others, for a process that was stopped and went on, and for a clock that was set; so its time is up when both that
 * clock (the monotonic one) and the CPU time of this process say so. Threads of the process that compute beside it count,
 * which makes the limit stricter under load, but never stricter than the wall clock.
 */
export class CpuTime {
  // What a limit of time measures is no input of the expression; there is no other time than that of this process.
  // oxlint-disable-next-line house/injected-time -- see above
  private readonly startMs = performance.now();
  private readonly before = process.cpuUsage();
  private lookAtMs: number;

  constructor(private readonly limitMs: number) {
    this.lookAtMs = this.startMs + limitMs;
  }

  /** Costs a look at the monotonic clock, until the limit could have been reached. */
  isUp(): boolean {
    // oxlint-disable-next-line house/injected-time -- see above
    const nowMs = performance.now();
    if (nowMs <= this.lookAtMs) return false;
    const { user, system } = process.cpuUsage(this.before);
    const leftMs = this.limitMs - (user + system) / 1000;
    this.lookAtMs = nowMs + leftMs;
    return leftMs < 0;
  }
}
