import type { Clock } from '#platform';
import { compileSchedule, instantOf } from './calculus/compile-schedule';
import type { FirePoint } from './calculus/fire-source';
import type { SchedulePreviewBody, SchedulePreviewView } from './schedule-preview.dto';

type PreviewedFire = SchedulePreviewView['fires'][number];

/** Nobody waits longer for a preview, and nobody else is kept waiting by one. */
const longestMs = 500;

/** The next fires of a schedule, as people read them. */
export function previewSchedule(
  { from, count, ...timing }: SchedulePreviewBody,
  clock: Clock,
): SchedulePreviewView {
  const schedule = compileSchedule(timing);
  const fromMs = from === undefined ? clock.now().getTime() : instantOf(from, timing.timezone);
  const deadlineMs = clock.monotonicMs() + longestMs;
  const fires: PreviewedFire[] = [];
  let fireMs = schedule.next(fromMs - 1);
  while (fireMs !== null && fires.length < count && clock.monotonicMs() <= deadlineMs) {
    fires.push(previewed(schedule.describe(fireMs)));
    fireMs = schedule.next(fireMs);
  }
  return fireMs === null ? { fires, exhausted: true } : { fires };
}

function previewed({ atMs, offsetMs, change }: FirePoint): PreviewedFire {
  const local = `${wallText(atMs + offsetMs)}${offsetText(offsetMs)}`;
  const fire = { at: new Date(atMs).toISOString(), local };
  if (change === undefined) return fire;
  switch (change.kind) {
    case 'moved': {
      const missed = wallText(change.wallMs).replace('T', ' ');
      return { ...fire, change: 'moved', note: `Clocks are set forward: ${missed} is left out.` };
    }
    case 'first_pass':
      return { ...fire, change: change.kind, note: 'Clocks are set back: this time is shown again later.' };
    case 'second_pass':
      return { ...fire, change: change.kind, note: 'Clocks are set back: this time is shown again now.' };
    default:
      return change satisfies never;
  }
}

/** `2026-03-29T03:00:00`, with milliseconds where there are any. */
function wallText(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/(?:\.000)?Z$/, '');
}

function offsetText(offsetMs: number): string {
  const size = Math.abs(offsetMs) / 1000;
  const parts = [Math.floor(size / 3_600), Math.floor(size / 60) % 60, size % 60];
  const shown = size % 60 === 0 ? parts.slice(0, 2) : parts;
  return `${offsetMs < 0 ? '-' : '+'}${shown.map((part) => String(part).padStart(2, '0')).join(':')}`;
}
