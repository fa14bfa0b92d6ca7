import { SeededRandom } from '../random';
import { planFaults } from './plan';

describe('a plan of faults', () => {
  const planned = (kills: number, clock = true) => planFaults(new SeededRandom(7), { kills, clock });
  const kinds = (kills: number, clock?: boolean) => planned(kills, clock).map(({ fault }) => fault.kind);

  it.each([1, 20, 200])('has %i kills and every other fault at least once', (kills) => {
    const all = kinds(kills);
    expect(all.filter((kind) => kind.startsWith('kill ') && kind !== 'kill postgres')).toHaveLength(kills);
    expect(new Set(all)).toEqual(
      new Set([
        'kill worker',
        ...(kills >= 8 ? ['kill api'] : []),
        'freeze',
        'kill postgres',
        'terminate connections',
        'cut line',
        'disturb line',
        'move clock',
      ]),
    );
  });

  it('disturbs a line in every way within 20 kills', () => {
    const lines = planned(20).flatMap(({ fault }) =>
      fault.kind === 'disturb line' ? [fault.line.kind] : [],
    );
    expect(new Set(lines)).toEqual(new Set(['reply-lost', 'held', 'request-lost', 'slow']));
  });

  it('moves no clock where none can be moved', () => {
    expect(kinds(200, false)).not.toContain('move clock');
  });

  it('is the same for the same seed, and another for another', () => {
    expect(planned(30)).toEqual(planned(30));
    expect(planned(30)).not.toEqual(planFaults(new SeededRandom(8), { kills: 30, clock: true }));
  });
});
