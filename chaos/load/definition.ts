import type { NodeFacts } from '../history/history';

/** A node of a definition, as the API takes it. */
export interface NodeSpec {
  readonly id: string;
  readonly type: string;
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

/** What the checks have to know of each node. Nodes must stand behind those that lead to them. */
export function nodeFactsOf({ nodes, edges }: Definition): ReadonlyMap<string, NodeFacts> {
  const facts = new Map<string, NodeFacts>();
  for (const node of nodes) {
    const before = edges
      .filter(({ to }) => to === node.id)
      .map(({ from }) => new Set([from, ...(facts.get(from)?.after ?? [])]));
    facts.set(node.id, {
      effect: node.type === 'http.request',
      unsafe: node.repeat === 'unsafe',
      after: [...(node.join === 'any' ? common(before) : union(before))],
    });
  }
  return facts;
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...set]));
}

/** A join of any begins when one of its ways is done, so only what all ways have in common is certain. */
function common([first, ...others]: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set([...(first ?? [])].filter((id) => others.every((set) => set.has(id))));
}
