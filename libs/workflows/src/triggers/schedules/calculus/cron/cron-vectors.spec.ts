import { compileSchedule, timingProblems } from '../compile-schedule';
import type { ScheduleTiming } from '../schedule-timing';
import published from '../testing/cron-vectors.json';

interface Suite {
  readonly source: string;
  readonly excluded?: string;
  readonly rows: readonly string[];
}

interface VectorSuite extends Suite {
  readonly class: string;
  readonly policy?: Pick<ScheduleTiming, 'gap' | 'fold'>;
}

const vectors = published.vectors as readonly VectorSuite[];
const invalid = published.invalid as readonly Suite[];
const valid = published.valid as readonly Suite[];

const isCovered = ({ excluded }: Suite) => excluded === undefined;
const isExcluded = (suite: Suite) => !isCovered(suite);

function rowsOf(suites: readonly Suite[]): readonly string[] {
  return suites.flatMap(({ rows }) => rows);
}

function countsBy(suites: readonly Suite[], nameOf: (suite: Suite) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const suite of suites) counts[nameOf(suite)] = (counts[nameOf(suite)] ?? 0) + suite.rows.length;
  return counts;
}

function answers(row: string, policy: VectorSuite['policy']): string {
  const [cron = '', timezone, after = '', expected = ''] = row.split(' | ');
  const schedule = compileSchedule({ cron, timezone, ...policy });
  const fires: string[] = [];
  let at: number | null = Date.parse(after);
  while (fires.length < expected.split(' ').length) {
    at = schedule.next(at);
    fires.push(at === null ? 'never' : new Date(at).toISOString().replace('.000', ''));
    if (at === null) break;
  }
  return [cron, timezone, after, fires.join(' ')].join(' | ');
}

describe('Published vectors', () => {
  const covered = vectors.filter(isCovered);

  it.each(
    covered.map((suite) => [`${suite.source}, ${suite.class}, ${JSON.stringify(suite.policy ?? {})}`, suite]),
  )('are answered as %s does', (_, { rows, policy }) => {
    expect(rows.map((row) => answers(row, policy))).toEqual(rows);
  });

  it('are covered by class, and what is excluded is so for a reason', () => {
    expect(rowsOf(vectors)).toHaveLength(1_355);
    expect(countsBy(covered, (suite) => (suite as VectorSuite).class)).toEqual({
      plain: 313,
      extended: 584,
      domdow: 16,
      dst: 294,
    });
    expect(countsBy(vectors.filter(isExcluded), ({ excluded }) => excluded ?? '')).toEqual({
      'both fields of days must fit; here, as in cron, one is enough': 113,
      'notations of fugit: -n, last, #L, %n, &, and hour 24': 21,
      'a field of years: bounds are `start` and `end`': 7,
      '30W in February is its last workday there; here a month without the day has none': 1,
      'before 1970': 1,
      'asked at the very end of a gap, Cronos does not answer with that instant itself': 2,
      'the expected answer lies before the question': 1,
      'a day that a zone leaves out is no gap there; here it is one, of 24 hours': 1,
      'wrong by its own word: 02:30 is shown, right after the gap of half an hour': 1,
    });
  });

  it.each(valid.filter(isCovered))('of $source are accepted', ({ rows }) => {
    expect(rows.filter((cron) => timingProblems({ cron }).length > 0)).toEqual([]);
  });

  it.each(invalid.filter(isCovered))('of $source are refused', ({ rows }) => {
    for (const cron of rows) {
      const message = expect.stringMatching(/^[A-Z"].+\.$/);
      expect({ cron, problems: timingProblems({ cron }) }).toEqual({
        cron,
        problems: [{ pointer: '/cron', path: ['cron'], message }],
      });
    }
  });

  it('are accepted and refused as their dialects do, but for these', () => {
    expect(rowsOf(invalid)).toHaveLength(370);
    expect(countsBy(invalid.filter(isExcluded), ({ excluded }) => excluded ?? '')).toEqual({
      'W stands in lists as well': 4,
      'a range of days may go around the end of the month': 1,
    });
    for (const cron of rowsOf(invalid.filter(isExcluded))) {
      expect({ cron, problems: timingProblems({ cron }) }).toEqual({ cron, problems: [] });
    }
    for (const cron of rowsOf(valid.filter(isExcluded))) {
      expect({ cron, problems: timingProblems({ cron }) }).toEqual({ cron, problems: [expect.anything()] });
    }
    expect(rowsOf(valid.filter(isExcluded))).toHaveLength(2);
  });
});
