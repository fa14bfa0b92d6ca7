import { pointerTo } from './pointer';
import type { Problem, ProblemCode } from './problem';
import { definitionLimits } from './schema';

/**
 * Looks at a document from outside before anything else does: that it is JSON and not too much of it, and that
 * PostgreSQL can store its text. Reports nothing more once the document is too large. Never throws.
 */
export function documentProblems(raw: unknown): readonly Problem[] {
  const walk = new DocumentWalk();
  walk.visit(raw);
  return walk.isTooLarge ? [tooLarge] : [...walk.problems, ...tooMany(raw)];
}

const tooLarge: Problem = {
  code: 'document_too_large',
  pointer: '',
  message: `The definition is larger than ${definitionLimits.bytes} bytes. Split it into several workflows.`,
};

function tooMany(raw: unknown): readonly Problem[] {
  const { nodes, edges } = definitionLimits;
  const problems: Problem[] = [];
  const nodeCount = lengthAt(raw, 'nodes');
  if (nodeCount > nodes) {
    const message = `There are ${nodeCount} nodes; ${nodes} are allowed. Split the workflow into several.`;
    problems.push({ code: 'too_many_nodes', pointer: '/nodes', message });
  }
  const edgeCount = lengthAt(raw, 'edges');
  if (edgeCount > edges) {
    const message = `There are ${edgeCount} edges; ${edges} are allowed.`;
    problems.push({ code: 'too_many_edges', pointer: '/edges', message });
  }
  return problems;
}

function lengthAt(raw: unknown, key: string): number {
  if (typeof raw !== 'object' || raw === null || !Object.hasOwn(raw, key)) return 0;
  const list: unknown = Reflect.get(raw, key);
  return Array.isArray(list) ? list.length : 0;
}

class DocumentWalk {
  readonly problems: Problem[] = [];
  private bytes = 0;
  /** The keys on the way to the value being looked at; pointers are only written for problems. */
  private readonly path: string[] = [];

  get isTooLarge(): boolean {
    return this.bytes > definitionLimits.bytes;
  }

  visit(value: unknown): void {
    // Written out, a value has at least its comma.
    this.bytes += 1;
    if (this.isTooLarge) return;
    if (typeof value === 'string') this.visitText(value);
    else if (typeof value === 'number') this.visitNumber(value);
    else if (typeof value === 'boolean' || value === null) this.bytes += 4;
    else if (typeof value !== 'object')
      this.report('not_json', `There is a ${typeof value} here, which is not JSON.`);
    else if (this.path.length >= definitionLimits.depth) this.reportDepth();
    else this.visitMembers(value);
  }

  private visitMembers(value: object): void {
    this.bytes += 2;
    for (const [key, member] of Object.entries(value)) {
      if (!Array.isArray(value)) this.visitText(key);
      if (this.isTooLarge) return;
      this.path.push(key);
      this.visit(member);
      this.path.pop();
    }
  }

  private visitNumber(value: number): void {
    this.bytes += String(value).length;
    if (!Number.isFinite(value)) this.report('not_json', `There is ${value} here, which is not JSON.`);
  }

  private visitText(text: string): void {
    this.bytes += Buffer.byteLength(text) + 2;
    // With the u flag a pair of surrogates is one character, so only a lone one is found.
    if (this.isTooLarge || !/\0|\p{Surrogate}/u.test(text)) return;
    this.report(
      'invalid_text',
      'There is a NUL character or half of a surrogate pair in this text. Remove it.',
    );
  }

  private reportDepth(): void {
    const message = `This is nested more than ${definitionLimits.depth} deep. Make the structure flatter.`;
    this.report('document_too_deep', message);
  }

  private report(code: ProblemCode, message: string): void {
    this.problems.push({ code, pointer: pointerTo(...this.path), message });
  }
}
