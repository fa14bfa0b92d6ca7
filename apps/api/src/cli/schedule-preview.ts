import { parseArgs } from 'node:util';
import { SystemClock } from '#platform';
import { previewSchedule, schedulePreviewBody, type SchedulePreviewView } from '#workflows';
import { runCommand, say, UsageError } from './command';

const USAGE = `When does it fire? Give a cron expression, or --every, --rrule or --date:
  npm run -s schedule:preview -- '30 2 * * *' --zone Europe/Berlin --from 2026-03-28
  npm run -s schedule:preview -- --every '2 weeks' --start 2026-01-05T09:00 --zone America/New_York
  npm run -s schedule:preview -- --rrule 'FREQ=MONTHLY;BYDAY=-1FR' --start 2026-01-30T17:00 --count 24
Options: --zone, --from, --count (10, at most 1000), --start, --end, --except (again for more), --date (again for more),
  --gap next|skip|shift, --fold auto|first|second|both. docs/reference/cron.md explains them.`;

const options = {
  zone: { type: 'string' },
  count: { type: 'string' },
  from: { type: 'string' },
  every: { type: 'string' },
  rrule: { type: 'string' },
  date: { type: 'string', multiple: true },
  start: { type: 'string' },
  end: { type: 'string' },
  except: { type: 'string', multiple: true },
  gap: { type: 'string' },
  fold: { type: 'string' },
} as const;

/** What an option is called in the timing, where that is another name. */
const optionOf: Readonly<Record<string, string>> = {
  timezone: '--zone',
  dates: '--date',
  cron: 'The cron expression',
};

/** `npm run schedule:preview -- '<cron>' …`: prints when a schedule fires next. Needs no database, and starts nothing. */
function schedulePreview(args: readonly string[]): Promise<void> {
  const clock = new SystemClock();
  const parsed = schedulePreviewBody.safeParse(timingIn(args));
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => {
      const [member = ''] = path;
      const name = optionOf[String(member)] ?? (member === '' ? '' : `--${String(member)}`);
      return `${name === '' ? '' : `${name}: `}${message.replace(/\.$/, '')}.`;
    });
    throw new UsageError(lines.join('\n'));
  }
  print(previewSchedule(parsed.data, clock), parsed.data.timezone ?? 'UTC');
  return Promise.resolve();
}

function timingIn(args: readonly string[]): Record<string, unknown> {
  const { values, positionals } = parsedArgs(args);
  const { zone, date, count, every, ...others } = values;
  const timing = {
    ...others,
    cron: positionals[0],
    timezone: zone,
    dates: date,
    count: count === undefined ? undefined : Number(count),
    every: every === undefined ? undefined : everyIn(every),
  };
  return Object.fromEntries(Object.entries(timing).filter(([, value]) => value !== undefined));
}

function parsedArgs(args: readonly string[]) {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true });
    if (parsed.positionals.length <= 1 && args.length > 0) return parsed;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? `${error.message}\n` : ''}${USAGE}`, { cause: error });
  }
  // A shell has taken an expression without quotes apart, or put the names of files for its stars.
  throw new UsageError(args.length === 0 ? USAGE : `Put the cron expression into quotes.\n${USAGE}`);
}

/** `90 minutes`; anything else is left to the schema to complain of. */
function everyIn(text: string): unknown {
  const [, amount, unit = ''] = /^(\d+) ?([a-z]+?)s?$/.exec(text.trim()) ?? [];
  if (amount !== undefined) return { amount: Number(amount), unit: `${unit}s` };
  throw new UsageError(
    `--every: ${JSON.stringify(text)} is not understood. Write a number and a unit, as '90 minutes'.`,
  );
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

function print({ fires, exhausted }: SchedulePreviewView, zone: string): void {
  const rows = fires.map(({ at, local, note = '' }) => {
    const [, date = '', time = '', offset = ''] = /^(.{10})T([\d:.]+)([+-].*)$/.exec(local) ?? [];
    const weekday = weekdays[new Date(date).getUTCDay()] ?? '';
    return { local: `${weekday} ${date} ${time} ${offset}`, utc: at.replace('.000Z', 'Z'), note };
  });
  const localWidth = Math.max(zone.length, ...rows.map(({ local }) => local.length));
  const utcWidth = Math.max(...rows.map(({ utc }) => utc.length), 3);
  if (rows.length > 0) say(`${zone.padEnd(localWidth)}  UTC`);
  for (const { local, utc, note } of rows) {
    say(
      `${local.padEnd(localWidth)}  ${utc.padEnd(note === '' ? 0 : utcWidth)}${note === '' ? '' : `  ${note}`}`,
    );
  }
  if (exhausted === true) say(rows.length === 0 ? 'It never fires.' : 'It never fires again.');
}

void runCommand(schedulePreview);
