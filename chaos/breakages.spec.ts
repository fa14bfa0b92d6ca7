import { breakageOf, breakages } from './breakages';
import { checks } from './checks/checks';

describe('breakages', () => {
  it.each(breakages.map(({ name, reportedAs }) => [name, reportedAs]))(
    '%s is to be reported by a check that there is',
    (_name, reportedAs) => {
      expect(checks.filter(({ kind }) => kind === 'promise').map(({ title }) => title)).toContain(reportedAs);
    },
  );

  it('are found by their names, and listed for whoever asks for another', () => {
    expect(breakages.map(({ name }) => breakageOf(name))).toEqual(breakages);
    expect(() => breakageOf('list')).toThrow(/fence .*\n {2}checkpoint-order /);
  });
});
