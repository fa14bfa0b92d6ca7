import { everyReference } from './references';
import { childrenAt, type SyntaxNode } from './syntax-tree';

/** What a secret may be called. */
export const SECRET_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;

/** The secrets that an expression names, and the first place at which it does more than pass one on. */
export interface SecretUse {
  readonly names: readonly string[];
  /** Null when every secret is passed on whole. */
  readonly misuse: { readonly reason: string; readonly position: number | undefined } | null;
}

const NONE: SecretUse = { names: [], misuse: null };

const NOT_ONE =
  'Name one secret, as in `secrets.API_KEY`: a capital letter, then capitals, digits and underscores.';
const NOT_WHOLE =
  'A secret can only be passed on whole: alone, joined with `&`, in the branches of a condition, or as a value in `[ ]` ' +
  'and `{ }`. Functions, comparisons and variables would see what stands for it, because its value is put in at the last moment.';

/**
 * How an expression uses `secrets`. While expressions are evaluated something unguessable stands for each value, so
 * whatever looks into a secret or changes it would compute nonsense: that is found here, before anything runs.
 */
export function secretUse(root: SyntaxNode): SecretUse {
  const uses = everyReference(root).filter(({ reference }) => reference.name === 'secrets');
  if (uses.length === 0) return NONE;
  const passed = passedOn(root);
  const wrong = uses.flatMap(({ node, reference: { member, position } }) => {
    if (member === undefined || !SECRET_NAME.test(member)) return [{ reason: NOT_ONE, position }];
    return passed.has(node) && isBare(node) ? [] : [{ reason: NOT_WHOLE, position }];
  });
  const names = uses.flatMap(({ reference: { member } }) => (member === undefined ? [] : [member]));
  return { names: [...new Set(names)].toSorted(), misuse: wrong[0] ?? null };
}

/** The parts of an expression whose value becomes its own, or a part of it, as it is. */
function passedOn(root: SyntaxNode): ReadonlySet<SyntaxNode> {
  const passed = new Set<SyntaxNode>();
  const pending: SyntaxNode[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (passed.has(node)) continue;
    passed.add(node);
    pending.push(...passing(node));
  }
  return passed;
}

function passing(node: SyntaxNode): readonly SyntaxNode[] {
  switch (node['type']) {
    case 'binary':
      return node['value'] === '&' ? [...childrenAt(node, 'lhs'), ...childrenAt(node, 'rhs')] : [];
    case 'condition':
      return [...childrenAt(node, 'then'), ...childrenAt(node, 'else')];
    case 'block':
      return childrenAt(node, 'expressions').slice(-1);
    case 'unary':
      // Members come as pairs, of which the second is the value.
      if (node['value'] === '{') return childrenAt(node, 'lhs').filter((_, i) => i % 2 === 1);
      return node['value'] === '[' ? childrenAt(node, 'expressions') : [];
    default:
      return [];
  }
}

/** `secrets.NAME` or `$$.secrets.NAME`, with nothing behind it and no filter on it. */
function isBare(node: SyntaxNode): boolean {
  const steps = childrenAt(node, 'steps');
  const names = steps[0]?.['type'] === 'variable' ? steps.slice(1) : steps;
  const isPlain = [node, ...steps].every((each) =>
    ['predicate', 'stages', 'group', 'keepArray', 'keepSingletonArray', 'focus', 'index', 'tuple'].every(
      (mark) => !Object.hasOwn(each, mark),
    ),
  );
  return isPlain && names.length === 2 && names.every(({ type }) => type === 'name');
}
