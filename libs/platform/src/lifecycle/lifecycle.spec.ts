import { EventEmitter } from 'node:events';
import { CollectingLogger, eventually } from '#platform/testing';
import { SystemClock } from '../time/clock';
import { Lifecycle } from './lifecycle';
import { installSignalHandlers } from './signals';

function make(drainMs = 5_000) {
  const logger = new CollectingLogger();
  return { logger, lifecycle: new Lifecycle({ clock: new SystemClock(), logger, drainMs }) };
}

describe('Lifecycle', () => {
  it('flips readiness and aborts `stopping` before the first step, and stops after the last', async () => {
    const { lifecycle } = make();
    expect(lifecycle.phase).toBe('starting');
    lifecycle.ready();
    expect([lifecycle.phase, lifecycle.stopping.aborted]).toEqual(['ready', false]);
    const seen: unknown[] = [];
    lifecycle.onDrain('look', 10, async () => seen.push(lifecycle.phase, lifecycle.stopping.aborted));
    await lifecycle.drain();
    expect(seen).toEqual(['draining', true]);
    expect(lifecycle.phase).toBe('stopped');
    lifecycle.ready();
    expect(lifecycle.phase).toBe('stopped');
  });

  it('runs the steps one after another in their order, equal ones as they were added, and only once', async () => {
    const { lifecycle, logger } = make();
    const ran: string[] = [];
    const add = (name: string, order: number) =>
      lifecycle.onDrain(name, order, async () => {
        ran.push(`${name} begins`);
        await Promise.resolve();
        ran.push(`${name} ends`);
      });
    add('pools', 90);
    add('http', 10);
    add('loops', 30);
    add('engine', 30);
    await Promise.all([lifecycle.drain(), lifecycle.drain()]);
    const names = ['http', 'loops', 'engine', 'pools'];
    expect(ran).toEqual(names.flatMap((name) => [`${name} begins`, `${name} ends`]));
    const steps = logger.lines.filter(({ message }) => message === 'A drain step is done.');
    expect(steps.map(({ fields }) => fields['step'])).toEqual(names);
    expect(steps.every(({ fields }) => typeof fields['tookMs'] === 'number')).toBe(true);
  });

  it('goes on when a step throws, and leaves one behind that hangs', async () => {
    const { lifecycle, logger } = make();
    const ran: string[] = [];
    lifecycle.onDrain('throws', 10, () => {
      throw new Error('broken');
    });
    lifecycle.onDrain('hangs', 20, () => new Promise(() => undefined));
    lifecycle.onDrain('after', 30, async () => ran.push('after'));
    await lifecycle.drain(20);
    expect(ran).toEqual(['after']);
    expect(logger.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'A drain step failed.', fields: { step: 'throws' } },
      { message: 'A drain step hangs and is left behind.', fields: { step: 'hangs' } },
    ]);
  });

  it('refuses a step once it drains', async () => {
    const { lifecycle } = make();
    await lifecycle.drain();
    expect(() => lifecycle.onDrain('late', 1, async () => undefined)).toThrow('comes too late');
  });
});

describe('installSignalHandlers', () => {
  it('drains on the first signal and exits with 0', async () => {
    const { lifecycle } = make();
    const source = new EventEmitter();
    const codes: number[] = [];
    lifecycle.onDrain('http', 10, async () => undefined);
    installSignalHandlers(lifecycle, (code) => codes.push(code), source);
    source.emit('SIGTERM');
    expect(lifecycle.phase).toBe('draining');
    await eventually(() => expect(codes).toEqual([0]));
  });

  it('exits at once on the second signal, whatever hangs', () => {
    const { lifecycle } = make();
    lifecycle.onDrain('hangs', 10, () => new Promise(() => undefined));
    const source = new EventEmitter();
    const codes: number[] = [];
    const uninstall = installSignalHandlers(lifecycle, (code) => codes.push(code), source);
    source.emit('SIGTERM');
    source.emit('SIGINT');
    expect(codes).toEqual([130]);
    uninstall();
    expect(source.listenerCount('SIGTERM') + source.listenerCount('SIGINT')).toBe(0);
  });
});
