import type { Facts } from '../history/facts';

/** Something that breaks a promise. */
export interface Finding {
  /** The run it was seen at; null where it is not about one. */
  readonly runId: string | null;
  readonly says: string;
}

/** What a check found. A check without a verdict reports a figure only. */
export interface Verdict {
  readonly broken: readonly Finding[];
  readonly figure: string;
}

/** One line of the table. */
export interface Check {
  /** The number of the promise. */
  readonly promise: string;
  readonly title: string;
  /** `figure`: nothing in it can be broken, it is told for its own sake. */
  readonly kind: 'promise' | 'figure';
  judge(facts: Facts): Verdict;
}

/** The verdict of a count that has to be 0. */
export function none(broken: readonly Finding[], of: number, what: string): Verdict {
  return { broken, figure: `${broken.length} of ${of} ${what}` };
}

/** A figure without a verdict. */
export function told(figure: string): Verdict {
  return { broken: [], figure };
}
