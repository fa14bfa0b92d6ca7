import type { RE2JS } from 're2js';
import { linearRegex } from '../expressions/linear-regex';
import type { Run } from './run';

/** A regex of a customer, run in linear time. */
export class Pattern {
  private constructor(
    private readonly regex: RE2JS,
    /** Instructions: the work for each character of a text. */
    readonly size: number,
  ) {}

  /** Null for what is no regex, or needs backtracking. */
  static of(source: string): Pattern | null {
    try {
      const regex = linearRegex(new RegExp(source, 'u'));
      return new Pattern(regex, regex.programSize());
    } catch {
      // Both engines say what they dislike in words of their own and classes of their own.
      return null;
    }
  }

  isIn(text: string, run: Run): boolean {
    run.spend(1 + (this.size * text.length) / 8);
    return this.regex.matcher(text).find();
  }
}
