import { AsyncLocalStorage } from 'node:async_hooks';
import { SchedulerRegistry } from '@nestjs/schedule';
import { register } from 'prom-client';
import { CollectingLogger, CountingRandom } from '#platform/testing';
import { SystemClock } from '../time/clock';
import { Loop } from './loop';
import type { LoopResult } from './loop-duty';

/** A duty whose rounds the test ends by hand. */
class Rounds {
  readonly name: string;
  readonly role = 'worker';
  readonly everyMs = 1_000;
  started = 0;
  atOnce = 0;
  mostAtOnce = 0;
  signal: AbortSignal | null = null;
  readonly #open: { resolve: (result: LoopResult) => void; reject: (error: Error) => void }[] = [];

  constructor() {
    Rounds.made += 1;
    this.name = `test-${Rounds.made}`;
  }

  static made = 0;

  runOnce(signal: AbortSignal): Promise<LoopResult> {
    this.signal = signal;
    this.started += 1;
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    return new Promise<LoopResult>((resolve, reject) => {
      this.#open.push({ resolve, reject });
    }).finally(() => {
      this.atOnce -= 1;
    });
  }

  async finish(result: LoopResult = { rows: 0 }): Promise<void> {
    this.#open.shift()?.resolve(result);
    await settle();
  }

  async fail(message = 'broken'): Promise<void> {
    this.#open.shift()?.reject(new Error(message));
    await settle();
  }
}

/** Lets promises and zero-length turns run, but no timer. */
async function settle(): Promise<void> {
  await jest.advanceTimersByTimeAsync(0);
}

function make({ fraction = 0.5 }: { readonly fraction?: number } = {}) {
  const duty = new Rounds();
  const logger = new CollectingLogger();
  const timers = new SchedulerRegistry();
  const loop = new Loop(duty, {
    clock: new SystemClock(),
    random: new CountingRandom(fraction),
    logger,
    timers,
  });
  return { duty, logger, timers, loop };
}

describe('Loop', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('begins with a round at once and then every so often', async () => {
    const { duty, loop } = make();
    loop.start();
    loop.start();
    await settle();
    expect(duty.started).toBe(1);
    await duty.finish();
    await jest.advanceTimersByTimeAsync(999);
    expect(duty.started).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(duty.started).toBe(2);
  });

  it.each([
    [0, 900],
    [0.5, 1_000],
    [0.999_999, 1_100],
  ])('jitters its pause: a fraction of %d gives %d ms', async (fraction, pauseMs) => {
    const { duty, loop } = make({ fraction });
    loop.start();
    await settle();
    await duty.finish();
    await jest.advanceTimersByTimeAsync(pauseMs - 2);
    expect(duty.started).toBe(1);
    await jest.advanceTimersByTimeAsync(3);
    expect(duty.started).toBe(2);
  });

  it('never runs two rounds at a time, however long one takes and however often it is woken', async () => {
    const { duty, loop } = make();
    loop.start();
    await settle();
    await jest.advanceTimersByTimeAsync(10_000);
    loop.wake();
    loop.wake();
    const byHand = loop.runOnce();
    await settle();
    expect(duty.started).toBe(1);
    for (let round = 0; round < 5; round += 1) await duty.finish();
    await expect(byHand).resolves.toEqual({ rows: 0 });
    expect(duty.mostAtOnce).toBe(1);
  });

  it('keeps a wake that comes during a round, and turns many into one further round', async () => {
    const { duty, loop } = make();
    loop.start();
    await settle();
    loop.wake();
    loop.wake();
    await duty.finish();
    expect(duty.started).toBe(2);
    await duty.finish();
    expect(duty.started).toBe(2);
  });

  it('runs at once when woken while idle, and counts its pause anew from there', async () => {
    const { duty, loop, timers } = make();
    loop.start();
    await settle();
    await duty.finish();
    await jest.advanceTimersByTimeAsync(600);
    loop.wake();
    await settle();
    expect(duty.started).toBe(2);
    expect(timers.getTimeouts()).toEqual([]);
    await duty.finish();
    await jest.advanceTimersByTimeAsync(999);
    expect(duty.started).toBe(2);
    expect(timers.getTimeouts()).toEqual([`loop:${duty.name}`]);
  });

  it('runs again at once while rounds ask for it', async () => {
    const { duty, loop } = make();
    loop.start();
    await settle();
    await duty.finish({ rows: 10, again: true });
    await duty.finish({ rows: 10, again: true });
    await duty.finish({ rows: 3 });
    expect(duty.started).toBe(3);
  });

  it('backs off exponentially to a minute when rounds fail, and forgets it after a good one', async () => {
    const { duty, loop, logger } = make({ fraction: 1 });
    loop.start();
    await settle();
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      const before = duty.started;
      await duty.fail();
      await jest.advanceTimersByTimeAsync(pauseMs - 1);
      expect(duty.started).toBe(before);
      await jest.advanceTimersByTimeAsync(1);
      expect(duty.started).toBe(before + 1);
    }
    expect(loop.beat()).toMatchObject({ errors: 8, lastError: 'broken', overdue: false });
    expect(logger.messages('error')).toHaveLength(8);
    await duty.finish();
    expect(loop.beat()).toMatchObject({ errors: 8, lastError: null });
    await jest.advanceTimersByTimeAsync(1_100);
    const before = duty.started;
    await duty.fail();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(duty.started).toBe(before + 1);
  });

  it('lets a wake cut a long backoff short, but not below one round a second', async () => {
    const { duty, loop } = make({ fraction: 1 });
    loop.start();
    await settle();
    for (const pauseMs of [1_000, 2_000, 4_000]) {
      await duty.fail();
      await jest.advanceTimersByTimeAsync(pauseMs);
    }
    expect(duty.started).toBe(4);
    loop.wake();
    await duty.fail();
    loop.wake();
    await jest.advanceTimersByTimeAsync(999);
    expect(duty.started).toBe(4);
    await jest.advanceTimersByTimeAsync(1);
    expect(duty.started).toBe(5);
  });

  it('takes a duty that throws before it returns a promise as a failed round', async () => {
    const { loop, duty } = make();
    duty.runOnce = () => {
      throw new Error('at once');
    };
    loop.start();
    await settle();
    expect(loop.beat()).toMatchObject({ errors: 1, lastError: 'at once', running: false });
  });

  it('aborts the running round when stopped, waits for it, and never runs again', async () => {
    const { duty, loop, timers, logger } = make();
    loop.start();
    await settle();
    let stopped = false;
    const stopping = loop.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(duty.signal?.aborted).toBe(true);
    expect(stopped).toBe(false);
    loop.wake();
    await duty.fail('aborted');
    await stopping;
    await loop.stop();
    await jest.advanceTimersByTimeAsync(100_000);
    expect(duty.started).toBe(1);
    expect(timers.getTimeouts()).toEqual([]);
    expect(logger.messages('error')).toEqual([]);
    await expect(loop.runOnce()).rejects.toThrow(`The loop ${duty.name} is stopped.`);
  });

  it('can be stopped before it was started, and then does not start', async () => {
    const { duty, loop } = make();
    await loop.stop();
    loop.start();
    await settle();
    expect(duty.started).toBe(0);
  });

  it('gives the result and the error of a round run by hand to whoever asked', async () => {
    const { duty, loop } = make();
    const good = loop.runOnce();
    await settle();
    await duty.finish({ rows: 7 });
    await expect(good).resolves.toEqual({ rows: 7 });
    const bad = loop.runOnce().catch((error: unknown) => error);
    await settle();
    await duty.fail('bad');
    await expect(bad).resolves.toEqual(new Error('bad'));
  });

  it('is overdue when no round ends for five intervals and half a minute', async () => {
    const { duty, loop } = make();
    expect(loop.beat()).toMatchObject({ overdue: false, lastStartedAt: null });
    loop.start();
    await settle();
    await jest.advanceTimersByTimeAsync(35_000);
    expect(loop.beat()).toMatchObject({ overdue: false, running: true, lastFinishedAt: null });
    await jest.advanceTimersByTimeAsync(1);
    expect(loop.beat().overdue).toBe(true);
    await duty.finish();
    expect(loop.beat()).toMatchObject({ overdue: false, running: false, rounds: 1 });
  });

  it('does not run a round as a part of the request that woke it', async () => {
    const { loop, duty } = make();
    const request = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    duty.runOnce = async () => {
      seen.push(request.getStore());
      return { rows: 0 };
    };
    loop.start();
    await settle();
    request.run('request-1', () => loop.wake());
    await settle();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(seen).toEqual([undefined, undefined, undefined]);
    await loop.stop();
  });

  it('counts rounds, errors, rows and seconds for Prometheus', async () => {
    const { duty, loop } = make();
    loop.start();
    await settle();
    await duty.finish({ rows: 5 });
    await jest.advanceTimersByTimeAsync(1_000);
    await duty.fail();
    const metrics = await register.metrics();
    expect(metrics).toContain(`millrace_loop_rounds_total{loop="${duty.name}"} 2`);
    expect(metrics).toContain(`millrace_loop_errors_total{loop="${duty.name}"} 1`);
    expect(metrics).toContain(`millrace_loop_rows_total{loop="${duty.name}"} 5`);
    expect(metrics).toContain(`millrace_loop_duration_seconds_count{loop="${duty.name}"} 2`);
  });
});
