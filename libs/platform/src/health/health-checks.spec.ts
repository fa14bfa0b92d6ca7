import { CollectingLogger, PinnedClock } from '#platform/testing';
import { Lifecycle } from '../lifecycle/lifecycle';
import { HealthChecks } from './health-checks';
import { loopsCheck } from './platform-checks';

function make() {
  const clock = new PinnedClock('2031-01-01T00:00:00Z');
  const logger = new CollectingLogger();
  const lifecycle = new Lifecycle({ clock, logger, drainMs: 1000 });
  return { lifecycle, logger, checks: new HealthChecks(lifecycle, clock, logger) };
}

const up = async () => ({ status: 'up' }) as const;

it('is ready when the process is and every dependency is up', async () => {
  const { lifecycle, checks } = make();
  checks.add('database', up);
  expect(await checks.ready()).toMatchObject({ status: 'not_ready', phase: 'starting' });
  lifecycle.ready();
  expect(await checks.ready()).toEqual({
    status: 'ready',
    phase: 'ready',
    checks: { database: { status: 'up', tookMs: 0 } },
  });
});

it('is not ready while the process drains', async () => {
  const { lifecycle, checks } = make();
  lifecycle.ready();
  const draining = lifecycle.drain();
  expect(await checks.ready()).toMatchObject({ status: 'not_ready' });
  await draining;
});

it('takes a check that throws as down, and tells the reason to the log only', async () => {
  const { lifecycle, logger, checks } = make();
  lifecycle.ready();
  checks.add('bus', async () => {
    throw new Error('hunter2');
  });
  const readiness = await checks.ready();
  expect(readiness).toMatchObject({ status: 'not_ready', checks: { bus: { status: 'down' } } });
  expect(JSON.stringify(readiness)).not.toContain('hunter2');
  expect(logger.messages('warn')).toEqual(['A health check failed.']);
});

it('takes a check that hangs as down', async () => {
  jest.useFakeTimers();
  const { checks } = make();
  checks.add('disk', () => new Promise(() => undefined));
  const asked = checks.ready();
  await jest.advanceTimersByTimeAsync(2_000);
  jest.useRealTimers();
  expect(await asked).toMatchObject({
    checks: { disk: { status: 'down', detail: 'It did not answer in time.' } },
  });
});

it('runs the checks once for callers at the same time', async () => {
  const { checks } = make();
  let runs = 0;
  checks.add('database', async () => {
    runs += 1;
    return { status: 'up' };
  });
  await Promise.all([checks.ready(), checks.ready(), checks.ready()]);
  expect(runs).toBe(1);
  await checks.ready();
  expect(runs).toBe(2);
});

it('names the loops that hang', async () => {
  const idle = {
    running: false,
    lastStartedAt: null,
    lastFinishedAt: null,
    lastError: null,
    rounds: 0,
    errors: 0,
  };
  const beats = [
    { ...idle, name: 'mails', overdue: false },
    { ...idle, name: 'leases', overdue: true },
  ];
  expect(await loopsCheck({ beats: () => beats })()).toEqual({
    status: 'down',
    detail: 'Loops without a pulse: leases.',
  });
});
