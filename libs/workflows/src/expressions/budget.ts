import { CpuTime } from './cpu-time';
import { expressionLimits, LimitExceeded } from './limits';

interface Measure {
  readonly weight: number;
  readonly depth: number;
}

const leaf: Measure = { weight: 4, depth: 0 };

/**
 * What one evaluation has left. JSONata looks at the depth between the steps of an expression; this also looks between
 * the calls of its functions, at the time, and at the size of what they make: doubling a string or an object thirty
 * times is quick and small until somebody writes it out.
 */
export class EvaluationBudget {
  private readonly measures = new WeakMap<object, Measure>();
  private readonly time = new CpuTime(expressionLimits.cpuMs);
  private ended = false;
  private guardrails: (() => void) | undefined;

  /** JSONata's own check of depth for this evaluation; it is known from the first step on. */
  watch(guardrails: () => void): void {
    this.guardrails = guardrails;
  }

  /** Branches of a failed evaluation may still have turns to come: they find the budget closed and stop. */
  end(): void {
    this.ended = true;
  }

  /** Throws when the evaluation has computed for too long, or is too deep. */
  checkTime(): void {
    if (this.ended) throw new LimitExceeded('The evaluation has already ended.');
    this.guardrails?.();
    if (this.time.isUp()) throw new LimitExceeded(`It computes for more than ${expressionLimits.cpuMs} ms.`);
  }

  /** Refuses strings and structures that are too large, counting what is shared as often as it appears. */
  checkValue(value: unknown): void {
    const { weight, depth } = this.measure(value, 0);
    if (weight > expressionLimits.valueWeight) {
      throw new LimitExceeded(`It makes a value of more than ${expressionLimits.valueWeight} characters.`);
    }
    if (depth > expressionLimits.valueDepth) throw tooDeep();
  }

  private measure(value: unknown, level: number): Measure {
    if (typeof value === 'string') return measureString(value);
    if (typeof value !== 'object' || value === null || isFunctionValue(value)) return leaf;
    const known = this.measures.get(value);
    if (known !== undefined) return known;
    if (level > expressionLimits.valueDepth) throw tooDeep();
    const measured = Array.isArray(value)
      ? this.measureArray(value, level)
      : this.measureObject(value, level);
    this.measures.set(value, measured);
    return measured;
  }

  private measureArray(values: readonly unknown[], level: number): Measure {
    let weight = 2;
    let depth = 0;
    for (const value of values) {
      const inner = this.measure(value, level + 1);
      weight += inner.weight;
      depth = Math.max(depth, inner.depth);
    }
    return { weight, depth: depth + 1 };
  }

  private measureObject(value: object, level: number): Measure {
    let weight = 2;
    let depth = 0;
    for (const [key, member] of Object.entries(value)) {
      const inner = this.measure(member, level + 1);
      weight += key.length + inner.weight;
      depth = Math.max(depth, inner.depth);
    }
    return { weight, depth: depth + 1 };
  }
}

/** JSONata's own function values; data from outside may imitate the flag, but can not hold a JavaScript function. */
export function isFunctionValue(value: object): boolean {
  if (typeof value === 'function') return true;
  const flagged = Object.hasOwn(value, '_jsonata_lambda') || Object.hasOwn(value, '_jsonata_function');
  return flagged && Object.values(value).some((member) => typeof member === 'function');
}

function measureString(text: string): Measure {
  if (text.length <= expressionLimits.stringLength) return { weight: text.length + 2, depth: 0 };
  throw new LimitExceeded(`It makes a string of more than ${expressionLimits.stringLength} characters.`);
}

function tooDeep(): LimitExceeded {
  return new LimitExceeded(`It makes a value nested more than ${expressionLimits.valueDepth} deep.`);
}
