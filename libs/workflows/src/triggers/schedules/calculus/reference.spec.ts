import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileSchedule, instantOf } from './compile-schedule';
import type { ScheduleTiming } from './schedule-timing';

const page = readFileSync(join(__dirname, '../../../../../../docs/reference/cron.md'), 'utf8');

/** The rows of the tables whose first cell is code, under a heading. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

function firesOf(timing: ScheduleTiming, from: string): string {
  const points = compileSchedule(timing).occurrences(instantOf(from, timing.timezone), 3);
  const texts = points.map(({ atMs, offsetMs }) => {
    const wall = new Date(atMs + offsetMs).toISOString().slice(0, 19).replace('T', ' ').replace(/:00$/, '');
    return timing.timezone === undefined ? wall : `${wall.slice(5)} +0${offsetMs / 3_600_000}`;
  });
  return texts.length === 0 ? 'never' : texts.join(', ');
}

describe('docs/reference/cron.md', () => {
  it.each(rowsUnder('Examples'))('says when %s fires', (cron = '', means = '', fires = '') => {
    expect(means).not.toBe('');
    expect(fires).toBe(firesOf({ cron }, '2026-01-01'));
  });

  it.each(rowsUnder('Clock changes'))(
    'says what becomes of %s with %s from %s',
    (...[cron = '', policy = '', from = '', fires = '']) => {
      const [name, value] = policy.split(': ');
      const timing = { cron, timezone: 'Europe/Berlin', ...(name === '' ? {} : { [name ?? '']: value }) };
      expect(fires).toBe(firesOf(timing, from));
    },
  );

  it('has examples', () => {
    expect([rowsUnder('Examples').length, rowsUnder('Clock changes').length]).toEqual([16, 9]);
  });
});
