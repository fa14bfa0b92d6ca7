import { childrenAt, type SyntaxNode } from './syntax-tree';

/** A name of the scope that an expression uses: `item`, or `nodes` with the `member` that it takes of it. */
export interface ScopeReference {
  readonly name: string;
  /** Undefined when it takes all, or what is computed while it runs. */
  readonly member: string | undefined;
  /** Of the member, or else of the name; in the expression. */
  readonly position: number | undefined;
}

/** Where a part of the expression is evaluated: against the scope itself, or against something found in it. */
type Context = 'scope' | 'elsewhere';

/**
 * The names of the scope that an expression uses, as `nodes.<id>`, `$$.nodes.<id>` or `$lookup(nodes, "<id>")`. A member
 * that is computed while it runs (`nodes.*`, `$lookup(nodes, trigger.id)`) can not be known here.
 */
export function scopeReferences(root: SyntaxNode): readonly ScopeReference[] {
  const found = everyReference(root).map(({ reference }) => reference);
  return found.filter((each, i) => found.findIndex((other) => isSame(each, other)) === i);
}

/** Each place at which an expression uses a name of the scope, with the part of the tree that does. */
export function everyReference(
  root: SyntaxNode,
): readonly { readonly node: SyntaxNode; readonly reference: ScopeReference }[] {
  const found: { readonly node: SyntaxNode; readonly reference: ScopeReference }[] = [];
  const visited = new Set<SyntaxNode>();
  const pending: { readonly node: SyntaxNode; readonly context: Context }[] = [
    { node: root, context: 'scope' },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, context } = next;
    if (visited.has(node)) continue;
    visited.add(node);
    const reference = node['type'] === 'path' ? inPath(node, context) : inLookup(node, context);
    if (reference !== undefined) found.push({ node, reference });
    // Reversed, so that what stands first is found first.
    pending.push(...[...parts(node, context)].reverse());
  }
  return found;
}

function isSame(one: ScopeReference, other: ScopeReference): boolean {
  return one.name === other.name && one.member === other.member;
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

function inPath(node: SyntaxNode, context: Context): ScopeReference | undefined {
  const [first, ...rest] = childrenAt(node, 'steps');
  if (first === undefined) return undefined;
  const afterScope = isScopeItself(first, context) ? rest : context === 'scope' ? [first, ...rest] : [];
  const [name, member] = afterScope;
  if (name?.['type'] !== 'name') return undefined;
  return referenceTo(name, member?.['type'] === 'name' ? member : undefined);
}

function isScopeItself(step: SyntaxNode, context: Context): boolean {
  return (
    step['type'] === 'variable' && (step['value'] === '$' || (step['value'] === '' && context === 'scope'))
  );
}

function inLookup(node: SyntaxNode, context: Context): ScopeReference | undefined {
  const [procedure] = childrenAt(node, 'procedure');
  if (node['type'] !== 'function' || procedure?.['value'] !== 'lookup' || context !== 'scope')
    return undefined;
  const [target, key] = childrenAt(node, 'arguments');
  const [name, ...deeper] = target === undefined ? [] : childrenAt(target, 'steps');
  return name?.['type'] === 'name' && deeper.length === 0 && key?.['type'] === 'string'
    ? referenceTo(name, key)
    : undefined;
}

function referenceTo(name: SyntaxNode, member: SyntaxNode | undefined): ScopeReference | undefined {
  const [named, taken] = [name['value'], member?.['value']];
  const { position } = member ?? name;
  if (typeof named !== 'string') return undefined;
  return {
    name: named,
    member: typeof taken === 'string' ? taken : undefined,
    position: typeof position === 'number' ? position : undefined,
  };
}
