import type { PointResult } from '../failpoints/failpoints';
import type { Line } from './report';

/** The lines of the enumerated part. */
export function failpointLines(points: readonly PointResult[]): readonly Line[] {
  const reached = points.filter((point) => point.reached);
  const failed = points.filter(({ broken }) => broken.length > 0);
  const missed = points.filter((point) => !point.reached);
  return [
    {
      promise: 'R3',
      title: 'points (before and after statements and calls) that break a promise',
      figure: `${failed.length} of ${reached.length} killed at`,
      ok: failed.length === 0 && reached.length > 0,
      findings: failed.flatMap(({ phase, name, broken }) =>
        broken.map((says) => ({ runId: null, says: `killed ${name} (${phase}): ${says}` })),
      ),
    },
    {
      promise: 'R3',
      title: 'points that did not come a second time',
      figure: `${missed.length} of ${points.length}`,
      ok: null,
      findings: missed.map(({ phase, name }) => ({ runId: null, says: `${name} (${phase})` })),
    },
  ];
}
