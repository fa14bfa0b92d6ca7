import { parseOptions } from './options';

describe('the options of the lab', () => {
  const parsed = (...args: readonly string[]) => parseOptions(args, 1_234_567);

  it('have defaults that follow each other', () => {
    expect(parsed()).toEqual({
      kills: 200,
      runs: 3_000,
      workers: 4,
      seed: 234_567,
      json: null,
      only: null,
      break: [],
    });
    expect(parsed('--kills', '20', '--only', 'kills')).toMatchObject({ kills: 20, runs: 300, only: 'kills' });
  });

  it('may break the engine in several ways', () => {
    expect(parsed('--break', 'fence', '--break', 'replay')?.break).toEqual(['fence', 'replay']);
  });

  it('may ask for help', () => {
    expect(parsed('--help', '--kills', 'none')).toBeNull();
  });

  it.each([
    [['--kills', '0'], '--kills is "0": it must be a whole number of at least 1.'],
    [['--workers', '2'], '--workers is "2": it must be a whole number of at least 3.'],
    [['--seed', '1.5'], '--seed is "1.5": it must be a whole number of at least 0.'],
    [['--only', 'failures'], '--only is "failures": it must be kills or failpoints.'],
    [['--kill', '5'], "Unknown option '--kill'"],
  ])('%j are refused with a sentence', (args, sentence) => {
    expect(() => parsed(...args)).toThrow(sentence);
  });
});
