import { RE2JS } from 're2js';
import type { EvaluationBudget } from './budget';
import { expressionLimits, LimitExceeded } from './limits';

/** Where the regex engine finds the budget of the evaluation that is running. */
export interface RunningEvaluation {
  budget: EvaluationBudget;
}

/**
 * Compiles the pattern for an engine whose time is linear in the text, so that `(a+)+$` blocks nobody.
 * Throws when the pattern needs backtracking (look-around, back references) or is too long.
 */
export function linearRegex(pattern: RegExp): RE2JS {
  if (pattern.source.length > expressionLimits.regexLength) {
    throw new SyntaxError(`A regex may have ${expressionLimits.regexLength} characters.`);
  }
  const ignoreCase = pattern.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0;
  const multiline = pattern.multiline ? RE2JS.MULTILINE : 0;
  return RE2JS.compile(RE2JS.translateRegExp(pattern.source), ignoreCase | multiline);
}

/** What JSONata uses of a `RegExp`. */
export interface RegexLike {
  lastIndex: number;
  exec(text: string): RegexMatch | null;
}

/** The match and its groups, and where it begins. */
export type RegexMatch = (string | undefined)[] & { index: number };
export type RegexLikeConstructor = new (pattern: RegExp) => RegexLike;

/**
 * The `RegexEngine` of one compiled expression. JSONata makes an instance each time the literal is evaluated,
 * so the program is compiled once and kept beside the literal.
 */
export function regexEngineFor(running: RunningEvaluation): RegexLikeConstructor {
  const programs = new WeakMap<RegExp, RE2JS>();
  return class LinearRegex implements RegexLike {
    lastIndex = 0;
    private readonly program: RE2JS;
    /** Kept from the beginning: a branch left over from a failed evaluation must not use its successor's. */
    private readonly budget = running.budget;

    constructor(pattern: RegExp) {
      this.program = programs.get(pattern) ?? linearRegex(pattern);
      programs.set(pattern, this.program);
    }

    exec(text: string): RegexMatch | null {
      this.budget.checkTime();
      const matcher = this.program.matcher(text);
      if (matcher.programSize() * text.length > expressionLimits.regexWork) {
        throw new LimitExceeded(`The regex is too complex for a text of ${text.length} characters.`);
      }
      if (!matcher.find(this.lastIndex)) return null;
      this.lastIndex = matcher.end();
      const groups = Array.from(
        { length: matcher.groupCount() + 1 },
        (_, i) => matcher.group(i) ?? undefined,
      );
      return Object.assign(groups, { index: matcher.start() });
    }
  };
}
