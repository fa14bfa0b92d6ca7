import { SchedulerRegistry } from '@nestjs/schedule';
import { CollectingLogger, CountingRandom, eventually } from '#platform/testing';
import { parseConfig } from '../config/config';
import { SystemClock } from '../time/clock';
import type { LoopDuty, ProcessRole } from './loop-duty';
import { Loops } from './loops';

function make(roles: string) {
  const config = parseConfig({ ROLES: roles });
  const timers = new SchedulerRegistry();
  return {
    timers,
    loops: new Loops(config, new SystemClock(), new CountingRandom(), new CollectingLogger(), timers),
  };
}

function duty(name: string, role: ProcessRole): LoopDuty & { rounds: number } {
  return {
    name,
    role,
    everyMs: 60_000,
    rounds: 0,
    async runOnce() {
      this.rounds += 1;
      return { rows: 0 };
    },
  };
}

describe('Loops', () => {
  it('runs the duties of the roles this process has, and those alone', async () => {
    const { loops } = make('worker');
    const ours = duty('ours', 'worker');
    const theirs = duty('theirs', 'scheduler');
    loops.add(ours);
    const handle = loops.add(theirs);
    loops.start();
    loops.start();
    handle.wake();
    await eventually(() => expect(loops.beats()).toMatchObject([{ name: 'ours', rounds: 1 }]));
    expect(theirs.rounds).toBe(0);
    await handle.runOnce();
    expect(theirs.rounds).toBe(1);
    await loops.stop();
  });

  it('begins a duty that is added late at once, and lists its timer in the registry', async () => {
    const { loops, timers } = make('all');
    loops.start();
    const late = duty('late', 'api');
    loops.add(late);
    await eventually(() => expect(timers.getTimeouts()).toEqual(['loop:late']));
    expect(late.rounds).toBe(1);
    await loops.stop();
    await loops.stop();
    expect(timers.getTimeouts()).toEqual([]);
  });

  it('refuses two duties of one name, and runs nothing that is added after the end', async () => {
    const { loops } = make('all');
    loops.add(duty('twice', 'api'));
    expect(() => loops.add(duty('twice', 'worker'))).toThrow('Two loops are named "twice".');
    await loops.stop();
    const late = loops.add(duty('late', 'api'));
    loops.start();
    await expect(late.runOnce()).rejects.toThrow('The loop late is stopped.');
  });
});
