import type { JsonValue } from '../definition/json';
import { pointerTo } from '../definition/pointer';
import { payloadSchemaLimits } from './limits';

/** One thing that is wrong, with a schema or with a value: where (RFC 6901), and a sentence. */
export interface Finding {
  readonly pointer: string;
  readonly message: string;
}

/** Whether a value obeys a keyword; where not, the rule has said so to the run. */
export type Rule = (value: JsonValue, run: Run) => boolean;

/** A schema or a part of one, compiled. */
export class SchemaNode {
  rules: readonly Rule[] = [];
  /** Schemas that this one asks about the same value: a circle of them would never end. */
  readonly inPlace: SchemaNode[] = [];

  constructor(readonly pointer: string) {}
}

/** Ends a run that takes too much. */
export class TooMuchWork extends Error {}

/** The check of one value. It counts what it does: a short schema may ask the same question a billion times. */
export class Run {
  readonly findings: Finding[] = [];
  private readonly path: (string | number)[] = [];
  private steps = 0;
  private level = 0;
  private isQuiet = false;

  /** Whether the value fits. All that is wrong is reported, unless nobody listens: then the first fault is enough. */
  apply(node: SchemaNode, value: JsonValue): boolean {
    this.level += 1;
    if (this.level > payloadSchemaLimits.levels) throw new TooMuchWork();
    let fits = true;
    for (const rule of node.rules) {
      this.spend(1);
      if (rule(value, this)) continue;
      fits = false;
      if (this.isQuiet) break;
    }
    this.spend(1);
    this.level -= 1;
    return fits;
  }

  /** The same for a member of the value that is being looked at. */
  inside(key: string | number, node: SchemaNode, value: JsonValue): boolean {
    this.path.push(key);
    const fits = this.apply(node, value);
    this.path.pop();
    return fits;
  }

  /** Whether the value fits, with nothing reported: for questions whose answer may rightly be no. */
  passes(node: SchemaNode, value: JsonValue): boolean {
    const wasQuiet = this.isQuiet;
    this.isQuiet = true;
    const fits = this.apply(node, value);
    this.isQuiet = wasQuiet;
    return fits;
  }

  /** Reports what is wrong with the value, or with a member of it. Always false, for rules to return. */
  fail(message: () => string, ...member: readonly string[]): false {
    if (this.isQuiet) return false;
    this.findings.push({ pointer: pointerTo(...this.path, ...member), message: `This ${message()}.` });
    if (this.findings.length >= payloadSchemaLimits.findings) this.isQuiet = true;
    return false;
  }

  /** Counts work. Throws when it becomes too much. */
  spend(steps: number): void {
    this.steps += steps;
    if (this.steps > payloadSchemaLimits.steps) throw new TooMuchWork();
  }

  /** Counts the reading of a text. */
  read(text: string): void {
    this.spend(text.length / 16);
  }

  /** Counts the listing of an object's members: in a large one that takes longer than a rule. */
  list(members: number): void {
    this.spend(1 + 4 * members);
  }
}
