import type { NodeFacts } from '../history/history';

/** A node of a definition, as the API takes it. */
export interface NodeSpec {
  readonly id: string;
  readonly type: string;
  /** The loop in whose body it is. */
  readonly parent?: string;
  readonly join?: 'all' | 'any';
  readonly repeat?: 'unsafe';
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface EdgeSpec {
  readonly from: string;
  readonly to: string;
  readonly port?: string;
}

/** A definition, as the API takes it. */
export interface Definition {
  readonly nodes: readonly NodeSpec[];
  readonly edges: readonly EdgeSpec[];
}

/** What the checks have to know of each node. Nodes must stand behind those that lead to them, and loops before their bodies. */
export function nodeFactsOf({ nodes, edges }: Definition): ReadonlyMap<string, NodeFacts> {
  const facts = new Map<string, NodeFacts>();
  for (const node of nodes) {
    const around = facts.get(node.parent ?? '');
    const before = edges
      .filter(({ to }) => to === node.id)
      .map(({ from }) => new Set([from, ...insideOf(from, nodes), ...(facts.get(from)?.after ?? [])]));
    const own = node.join === 'any' ? common(before) : union(before);
    facts.set(node.id, {
      answered: node.type === 'http.request' || node.type === 'wait.callback',
      unsafe: node.repeat === 'unsafe',
      calls: node.type === 'run.workflow',
      loops: node.parent === undefined ? [] : [...(around?.loops ?? []), node.parent],
      after: [...union([own, new Set(around?.after)])],
    });
  }
  return facts;
}

/** All that is in the body of a loop, however deep. */
function insideOf(loop: string, nodes: readonly NodeSpec[]): readonly string[] {
  return nodes.flatMap(({ id, parent }) => (parent === loop ? [id, ...insideOf(id, nodes)] : []));
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

/** A join of any begins when one of its ways is done, so only what all ways have in common is certain. */
function common([first, ...others]: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set([...(first ?? [])].filter((id) => others.every((set) => set.has(id))));
}
