import { childrenAt, isSyntaxNode, type SyntaxNode } from './syntax-tree';

/** A node of the workflow that an expression names. `position` is in the expression. */
export interface NodeReference {
  readonly nodeId: string;
  readonly position: number | undefined;
}

/** Where a part of the expression is evaluated: against the scope itself, or against something found in it. */
type Context = 'scope' | 'elsewhere';

/**
 * The nodes an expression names, as `nodes.<id>`, `$$.nodes.<id>` or `$lookup(nodes, "<id>")`. What is computed
 * while it runs (`nodes.*`, `$lookup(nodes, trigger.id)`) can not be known here and is not reported.
 */
export function nodeReferences(root: SyntaxNode): readonly NodeReference[] {
  const found: NodeReference[] = [];
  const visited = new Set<SyntaxNode>();
  const pending: { readonly node: SyntaxNode; readonly context: Context }[] = [
    { node: root, context: 'scope' },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, context } = next;
    if (visited.has(node)) continue;
    visited.add(node);
    const reference = node['type'] === 'path' ? inPath(node, context) : inLookup(node, context);
    if (reference !== undefined) found.push(reference);
    // Reversed, so that what stands first is found first.
    pending.push(...[...parts(node, context)].reverse());
  }
  return found.filter((each, i) => found.findIndex(({ nodeId }) => nodeId === each.nodeId) === i);
}

function* parts(node: SyntaxNode, context: Context): Generator<{ node: SyntaxNode; context: Context }> {
  for (const key of Object.keys(node)) {
    if (key === 'steps') {
      for (const [i, step] of childrenAt(node, key).entries())
        yield { node: step, context: i === 0 ? context : 'elsewhere' };
      continue;
    }
    // Predicates, groupings and orderings see the items of what stands before them.
    const within = ['stages', 'predicate', 'group', 'terms'].includes(key) ? 'elsewhere' : context;
    for (const child of childrenAt(node, key)) yield { node: child, context: within };
  }
}

function inPath(node: SyntaxNode, context: Context): NodeReference | undefined {
  const [first, ...rest] = childrenAt(node, 'steps');
  if (first === undefined) return undefined;
  const afterScope = isScopeItself(first, context) ? rest : context === 'scope' ? [first, ...rest] : [];
  const [nodes, id] = afterScope;
  return nodes?.['type'] === 'name' && nodes['value'] === 'nodes' && id?.['type'] === 'name'
    ? named(id)
    : undefined;
}

function isScopeItself(step: SyntaxNode, context: Context): boolean {
  return (
    step['type'] === 'variable' && (step['value'] === '$' || (step['value'] === '' && context === 'scope'))
  );
}

function inLookup(node: SyntaxNode, context: Context): NodeReference | undefined {
  const [procedure] = childrenAt(node, 'procedure');
  if (node['type'] !== 'function' || procedure?.['value'] !== 'lookup' || context !== 'scope')
    return undefined;
  const [target, key] = childrenAt(node, 'arguments');
  const [nodes, ...deeper] = target === undefined ? [] : childrenAt(target, 'steps');
  return nodes?.['value'] === 'nodes' && deeper.length === 0 && key?.['type'] === 'string'
    ? named(key)
    : undefined;
}

function named(node: SyntaxNode): NodeReference | undefined {
  const { value, position } = node;
  if (!isSyntaxNode(node) || typeof value !== 'string') return undefined;
  return { nodeId: value, position: typeof position === 'number' ? position : undefined };
}
