import type { EgressHeaders } from './egress-result';

/** A server that asks for more has gone away; waiting for a week is not retrying any more. */
const LONGEST_SECONDS = 7 * 24 * 60 * 60;

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const MONTH = '(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)';
const SHORT_DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';

/** The three forms of a date that RFC 9110 has, each with its fields in the order day, month, year, time. */
const IMF_FIXDATE = new RegExp(`^${SHORT_DAY}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} GMT$`);
const RFC_850 = new RegExp(`^${LONG_DAY}, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^${SHORT_DAY} ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`);

/**
 * For how many seconds the server asks to be left alone, from 0 to a week; null when it does not say so, or says what
 * nobody can read. A date counts from the server's own `Date`, since its clock may be wrong, else from `now`.
 */
export function retryAfterSeconds(headers: EgressHeaders, now: Date): number | null {
  const value = headers.get('retry-after')?.[0]?.trim() ?? '';
  if (/^\d+$/.test(value)) return bounded(Number(value));
  const untilMs = httpDateMs(value);
  if (untilMs === null) return null;
  const sentMs = httpDateMs(headers.get('date')?.[0]?.trim() ?? '') ?? now.getTime();
  return bounded(Math.ceil((untilMs - sentMs) / 1000));
}

function bounded(seconds: number): number {
  return Math.min(Math.max(seconds, 0), LONGEST_SECONDS);
}

function httpDateMs(text: string): number | null {
  const fixdate = IMF_FIXDATE.exec(text) ?? RFC_850.exec(text);
  if (fixdate) return utcMs(fixdate.slice(1));
  const [, month, day, hour, minute, second, year] = ASCTIME.exec(text) ?? [];
  return month === undefined ? null : utcMs([day, month, year, hour, minute, second]);
}

function utcMs(fields: readonly (string | undefined)[]): number | null {
  const [day = 0, , year = 0, hour = 0, minute = 0, second = 0] = fields.map(Number);
  const month = MONTHS.indexOf(fields[1] ?? '') / 3;
  if (hour > 23 || minute > 59 || second > 60) return null;
  // Two digits are of this century: the form is obsolete, but whoever sends it sends it today.
  const ms = Date.UTC(fields[2]?.length === 2 ? 2000 + year : year, month, day, hour, minute, second);
  return new Date(ms).getUTCMonth() === month || second === 60 ? ms : null;
}
