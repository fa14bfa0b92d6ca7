import { checks } from '../checks/checks';
import type { Finding } from '../checks/check';
import type { Facts } from '../history/facts';

/** One line of the table, and what stands behind it. */
export interface Line {
  readonly promise: string;
  readonly title: string;
  readonly figure: string;
  /** Null for a figure that is not judged. */
  readonly ok: boolean | null;
  readonly findings: readonly Finding[];
}

/** Judges a history by every check. */
export function linesOf(facts: Facts): readonly Line[] {
  return checks.map(({ promise, title, kind, judge }) => {
    const { broken, figure } = judge(facts);
    return { promise, title, figure, ok: kind === 'figure' ? null : broken.length === 0, findings: broken };
  });
}

/** How many of each fault there were. */
export function faultsOf({ history }: Facts): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of history.faults) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Findings shown of one line; the JSON has all. */
const SHOWN = 5;

/** The table as text, with the first findings of what is broken beneath. */
export function tableOf(lines: readonly Line[]): string {
  const width = (column: (line: Line) => string) => Math.max(...lines.map((line) => column(line).length));
  const titles = width(({ title }) => title);
  const figures = width(({ figure }) => figure);
  const rows = lines.map(({ promise, title, figure, ok }) =>
    `  ${promise.padEnd(4)} ${title.padEnd(titles)}  ${figure.padEnd(figures)}  ${verdictOf(ok)}`.trimEnd(),
  );
  const broken = lines.flatMap(({ promise, title, findings }) => [
    ...findings.slice(0, SHOWN).map(({ runId, says }) => `  ${promise} ${title}: ${runId ?? ''} ${says}`),
    ...(findings.length > SHOWN ? [`  ${promise} ${title}: and ${findings.length - SHOWN} more`] : []),
  ]);
  return [...rows, ...(broken.length === 0 ? [] : ['', ...broken])].join('\n');
}

function verdictOf(ok: boolean | null): string {
  if (ok === null) return '';
  return ok ? 'ok' : 'BROKEN';
}
