import { pointsOf } from './points';

describe('the points of a trace', () => {
  const names = (...traces: [string[], string[]]) => pointsOf('run', traces).map(({ name }) => name);

  it('are those of either, in order and once each', () => {
    expect(names(['before a #1', 'after a #1', 'before b #1'], ['after a #1', 'before c #1'])).toEqual([
      'before a #1',
      'after a #1',
      'before b #1',
      'before c #1',
    ]);
  });

  it('hold two of a sweep and all of what a run does', () => {
    const trace = [1, 2, 3].flatMap((nth) => [`before heartbeat-worker #${nth}`, `after checkpoint #${nth}`]);
    expect(names(trace, trace)).toEqual([
      'before heartbeat-worker #1',
      'after checkpoint #1',
      'before heartbeat-worker #2',
      'after checkpoint #2',
      'after checkpoint #3',
    ]);
  });

  it('of a start are the statements of the engine alone', () => {
    const trace = ['before SELECT version() #1', 'before register-worker #1'];
    expect(pointsOf('start of a worker', [trace, trace])).toEqual([
      { phase: 'start of a worker', name: 'before register-worker #1' },
    ]);
  });
});
