import type { NodeKind } from './node-kind';

/** The kinds of node that this installation knows, by type. Immutable. */
export class NodeKindRegistry {
  private readonly kinds: ReadonlyMap<string, NodeKind>;

  /** Throws when two kinds claim the same type: that is a mistake in the composition of the application. */
  constructor(kinds: readonly NodeKind[]) {
    const byType = new Map<string, NodeKind>();
    for (const kind of kinds) {
      if (byType.has(kind.type)) throw new Error(`Two node kinds have the type ${kind.type}.`);
      byType.set(kind.type, kind);
    }
    this.kinds = byType;
  }

  /** All kinds, in the order in which they were given. */
  list(): readonly NodeKind[] {
    return [...this.kinds.values()];
  }

  get(type: string): NodeKind | undefined {
    return this.kinds.get(type);
  }

  has(type: string): boolean {
    return this.kinds.has(type);
  }

  /** The known type that somebody who wrote `type` may have meant, or undefined when none is near. */
  nearest(type: string): string | undefined {
    // A type is short; a long text is nobody's slip of the pen, and the distance is quadratic.
    if (type.length > 64) return undefined;
    const [best] = [...this.kinds.keys()]
      .map((known) => ({ known, distance: editDistance(type.toLowerCase(), known) }))
      .toSorted((a, b) => a.distance - b.distance);
    return best !== undefined && best.distance <= Math.max(2, best.known.length / 3) ? best.known : undefined;
  }
}

/** How many letters must be added, dropped or changed to get from one word to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of Array.from(from).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(to).entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
