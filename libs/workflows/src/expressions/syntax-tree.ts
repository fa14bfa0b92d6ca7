/**
 * Reading JSONata's syntax tree. Its published types leave out half of the node types, and its nodes carry parser
 * state on their prototypes, so the tree is read as unknown data through own properties only.
 */
export type SyntaxNode = { readonly [key: string]: unknown };

export function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The own properties under this key that are nodes: one node, or the nodes of an array (of arrays). */
export function childrenAt(node: SyntaxNode, key: string): readonly SyntaxNode[] {
  return Object.hasOwn(node, key) ? nodesIn(node[key]) : [];
}

/** Every node of the tree, parents first. Iterative, because `a+a+a+…` is a tree as deep as it is long. */
export function* everyNode(root: unknown): Generator<SyntaxNode> {
  const pending: SyntaxNode[] = [...nodesIn(root)];
  const seen = new Set<SyntaxNode>();
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    // `??` shares its left side between two places, and ancestor slots are shared too.
    if (seen.has(node)) continue;
    seen.add(node);
    yield node;
    for (const key of Object.keys(node)) pending.push(...nodesIn(node[key]));
  }
}

function nodesIn(value: unknown): readonly SyntaxNode[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn);
  return isSyntaxNode(value) && !(value instanceof RegExp) ? [value] : [];
}
