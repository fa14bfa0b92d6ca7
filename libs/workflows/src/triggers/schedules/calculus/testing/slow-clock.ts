// What a clock on the wall shows, from `Intl.DateTimeFormat` and nothing else: slow, and independent of what is tested.

export const MINUTE_MS = 60_000;

export interface Shown {
  /** What the clocks of UTC would count when the wall shows this, in minutes. */
  readonly wall: number;
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  readonly weekday: number;
}

export class SlowClock {
  readonly #format: Intl.DateTimeFormat;

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    });
  }

  wallAt(ms: number): number {
    // 03/29/2026, 02:30
    const text = this.#format.format(ms);
    const part = (from: number, to: number) => Number(text.slice(from, to));
    return Date.UTC(part(6, 10), part(0, 2) - 1, part(3, 5), part(12, 14), part(15, 17)) / MINUTE_MS;
  }

  /** The minutes within a stretch of time at which the offset becomes another one. */
  changesBetween(fromMs: number, toMs: number): readonly number[] {
    const offset = (ms: number) => this.wallAt(ms) - ms / MINUTE_MS;
    const changes: number[] = [];
    for (let at = fromMs; at < toMs; at += 86_400_000) {
      let [low, high] = [at, at + 86_400_000];
      if (offset(low) === offset(high)) continue;
      while (high - low > MINUTE_MS) {
        const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS;
        if (offset(middle) === offset(low)) low = middle;
        else high = middle;
      }
      changes.push(high);
    }
    return changes;
  }
}

export function shownBy(wall: number): Shown {
  const date = new Date(wall * MINUTE_MS);
  return {
    wall,
    minute: date.getUTCMinutes(),
    hour: date.getUTCHours(),
    day: date.getUTCDate(),
    month: date.getUTCMonth() + 1,
    weekday: date.getUTCDay(),
  };
}
