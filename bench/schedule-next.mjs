// When does it fire next: microseconds per occurrence of the product's calculus, beside two libraries if they are installed
// here (`npm install --prefix bench`). Nothing of them is a dependency of the product.
//
//   npm run build && node bench/schedule-next.mjs [--occurrences 5000] [--rounds 5]
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const require = createRequire(import.meta.url);
const {
  compileSchedule,
} = require('../dist/libs/workflows/src/triggers/schedules/calculus/compile-schedule.js');

const { values: flags } = parseArgs({
  options: { occurrences: { type: 'string', default: '5000' }, rounds: { type: 'string', default: '5' } },
});
const OCCURRENCES = Number(flags.occurrences);
const ROUNDS = Number(flags.rounds);
const FROM = Date.UTC(2026, 0, 1);

const TIMINGS = [
  { cron: '* * * * *', timezone: 'UTC' },
  { cron: '* * * * * *', timezone: 'America/New_York' },
  { cron: '*/15 * * * *', timezone: 'Europe/Berlin' },
  { cron: '0 * * * *', timezone: 'Australia/Lord_Howe' },
  { cron: '0 9 * * *', timezone: 'Europe/Berlin' },
  { cron: '0 9 * * MON-FRI', timezone: 'America/New_York' },
  { cron: '30 2 * * *', timezone: 'Africa/Cairo' },
  { cron: '0 0 1 * *', timezone: 'Asia/Tokyo' },
  { cron: '0 18 L * *', timezone: 'Europe/Berlin' },
  { cron: '0 10 * * TUE#1', timezone: 'Europe/Berlin' },
  { cron: '0 0 1 1 *', timezone: 'Europe/Berlin' },
  { cron: '0 0 29 2 *', timezone: 'UTC' },
  { every: { amount: 1, unit: 'days' }, start: '2026-01-01T09:00', timezone: 'Europe/Berlin' },
  { rrule: 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE', start: '2026-01-01T09:00', timezone: 'Europe/Berlin' },
  { rrule: 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', start: '2026-01-01T09:00', timezone: 'UTC' },
];

/** Each makes of a timing a function from an instant to the next one, null when there is none. */
const contenders = {
  millrace: (timing) => {
    const schedule = compileSchedule(timing);
    return (ms) => schedule.next(ms);
  },
  croner: await ifInstalled('croner', ({ Cron }) => ({ cron, timezone }) => {
    const job = new Cron(cron, { timezone, paused: true });
    return (ms) => job.nextRun(new Date(ms))?.getTime() ?? null;
  }),
  'cron-parser': await ifInstalled('cron-parser', ({ CronExpressionParser }) => ({ cron, timezone }) => {
    const expression = CronExpressionParser.parse(cron, { tz: timezone, currentDate: new Date(FROM) });
    return () => expression.next().getTime();
  }),
};

async function ifInstalled(name, make) {
  try {
    return make(await import(name));
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    console.log(`${name} is not installed: npm install --prefix bench`);
    return null;
  }
}

/** Microseconds per occurrence, the median of the rounds; a word when there is no figure. */
function perOccurrence(make, timing) {
  const figures = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const next = make(timing);
      let [at, count] = [FROM, 0];
      const startedMs = performance.now();
      // No longer than two seconds, for what is slow, and not beyond a year that all of them know.
      while (
        at !== null &&
        at < Date.UTC(2190, 0, 1) &&
        count < OCCURRENCES &&
        performance.now() - startedMs < 2_000
      ) {
        at = next(at);
        count += 1;
      }
      figures.push(((performance.now() - startedMs) * 1_000) / count);
    }
  } catch (error) {
    return `"${error.message.slice(0, 24)}"`;
  }
  return figures.sort((a, b) => a - b)[Math.floor(figures.length / 2)].toFixed(2);
}

/** Milliseconds until it is known that an expression never fires. */
function untilNever(make) {
  const startedMs = performance.now();
  let answer;
  try {
    answer = String(make({ cron: '0 0 31 2 *', timezone: 'Europe/Berlin' })(FROM));
  } catch (error) {
    answer = `throws "${error.message.slice(0, 40)}"`;
  }
  return `${answer} after ${(performance.now() - startedMs).toFixed(2)} ms`;
}

const installed = Object.entries(contenders).filter(([, make]) => make !== null);
console.log(`| microseconds per occurrence | ${installed.map(([name]) => name).join(' | ')} |`);
console.log(`| --- | ${installed.map(() => '---').join(' | ')} |`);
for (const timing of TIMINGS) {
  const { cron, rrule, every, timezone } = timing;
  const what = cron ?? rrule ?? `every ${every.amount} ${every.unit}`;
  const figures = installed.map(([name, make]) =>
    name === 'millrace' || cron !== undefined ? perOccurrence(make, timing) : '-',
  );
  console.log(`| \`${what}\` ${timezone} | ${figures.join(' | ')} |`);
}
for (const [name, make] of installed) console.log(`\`0 0 31 2 *\` by ${name}: ${untilNever(make)}`);

// What the first question to a zone costs, before anything of it is known.
const startedMs = performance.now();
compileSchedule({ cron: '0 9 * * *', timezone: 'America/Santiago' }).next(FROM);
console.log(`first occurrence in a zone: ${(performance.now() - startedMs).toFixed(2)} ms`);
