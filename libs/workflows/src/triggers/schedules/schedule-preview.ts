import type { Clock } from '#platform';
import { compileSchedule, instantOf } from './calculus/compile-schedule';
import type { FirePoint } from './calculus/fire-source';
import { localText, wallText } from './calculus/local-text';
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
  const fire = { at: new Date(atMs).toISOString(), local: localText(atMs, offsetMs) };
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
