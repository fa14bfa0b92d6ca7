import { guardedFunction, withheldFunctions } from './functions';
import { linearRegex } from './linear-regex';
import { childrenAt, everyNode, type SyntaxNode } from './syntax-tree';

/** Something that JSONata can parse and that is not offered here, or that can not work. */
export class Unsupported extends Error {
  constructor(
    message: string,
    readonly position?: unknown,
  ) {
    super(message);
  }
}

/** The names of all variables and functions that occur, without their `$`. */
export function variablesIn(root: SyntaxNode): ReadonlySet<string> {
  const names = new Set<string>();
  for (const node of everyNode(root)) {
    if (node['type'] === 'variable' && typeof node['value'] === 'string') names.add(node['value']);
  }
  return names;
}

/** Refuses, when a workflow is published, what would fail or harm when it runs. Throws `Unsupported`. */
export function checkVocabulary(root: SyntaxNode): void {
  const bound = boundVariables(root);
  for (const node of everyNode(root)) {
    switch (node['type']) {
      case 'variable':
        checkVariable(node, bound);
        break;
      case 'regex':
        checkRegex(node);
        break;
      case 'lambda':
        checkSignature(node);
        break;
      case 'transform':
        // The update of `|…|…|` may be aimed at any object, the input and JSONata's own functions included.
        throw new Unsupported(
          'The operator `| … |` is not available; build a new object, or use `$merge`.',
          node['position'],
        );
      default:
    }
  }
}

function checkVariable(node: SyntaxNode, bound: ReadonlySet<unknown>): void {
  const { value, position } = node;
  if (typeof value !== 'string' || value === '' || value === '$') return;
  if (withheldFunctions.has(value)) {
    throw new Unsupported(
      `\`$${value}\` is not available, because a repeated run must compute the same.`,
      position,
    );
  }
  if (bound.has(value) || guardedFunction(value) !== undefined) return;
  throw new Unsupported(`There is no function or variable \`$${value}\`.`, position);
}

/** Variables that the expression itself introduces: `$x := …`, parameters, and `@$x` or `#$i` in a path. */
function boundVariables(root: SyntaxNode): ReadonlySet<unknown> {
  const bound = new Set<unknown>();
  for (const node of everyNode(root)) {
    if (node['type'] === 'bind') for (const target of childrenAt(node, 'lhs')) bound.add(target['value']);
    if (node['type'] === 'lambda')
      for (const parameter of childrenAt(node, 'arguments')) bound.add(parameter['value']);
    if (node['type'] === 'index') bound.add(node['value']);
    bound.add(node['focus']);
    bound.add(node['index']);
  }
  return bound;
}

function checkRegex(node: SyntaxNode): void {
  const pattern = node['value'];
  if (!(pattern instanceof RegExp)) return;
  try {
    linearRegex(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'It can not be compiled.';
    throw new Unsupported(`The regex is not supported: ${reason}.`, node['position']);
  }
}

/** JSONata checks arguments with a regex made from the signature, which backtracks over each `+`. */
function checkSignature(node: SyntaxNode): void {
  for (const { definition } of childrenAt(node, 'signature')) {
    if (typeof definition !== 'string' || (definition.match(/\+/g) ?? []).length <= 2) continue;
    throw new Unsupported('A signature may have two repeated parameters (`+`).', node['position']);
  }
}
