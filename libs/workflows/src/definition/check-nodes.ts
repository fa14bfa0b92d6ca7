import type { z } from 'zod';
import type { ScopeReference } from '../expressions/references';
import { scanTemplate } from '../expressions/scan';
import { parseTemplates } from '../expressions/template';
import type { NodeKind } from '../nodes/node-kind';
import type { NodeKindRegistry } from '../nodes/registry';
import { issueProblems } from './draft';
import type { JsonValue } from './json';
import { isJsonArray, isJsonObject } from './json-guards';
import { pointerTo } from './pointer';
import type { Problem } from './problem';
import type { NodeDefinition, WorkflowDefinition } from './schema';

/** A name that an expression of a node uses. */
export interface PlacedReference {
  readonly nodeIndex: number;
  /** Of the string with the expression, from the root of the definition. */
  readonly pointer: string;
  readonly expression: string;
  readonly reference: ScopeReference;
}

/** What is wrong with each node by itself, and what its expressions refer to. */
export function nodeProblems(
  { nodes }: WorkflowDefinition,
  kinds: NodeKindRegistry,
): { readonly problems: readonly Problem[]; readonly references: readonly PlacedReference[] } {
  const problems: Problem[] = [...duplicateIds(nodes), ...missingTrigger(nodes, kinds)];
  const references: PlacedReference[] = [];
  for (const [nodeIndex, node] of nodes.entries()) {
    const pointer = pointerTo('nodes', nodeIndex, 'params');
    const kind = kinds.get(node.type);
    problems.push(
      ...(kind === undefined ? [unknownType(node, nodeIndex, kinds)] : paramProblems(node, kind, pointer)),
    );
    problems.push(...ownProblems(node, kind, pointer));
    const retryIf = node.retry?.retryIf;
    const found = [
      expressionsIn(node.params, pointer, kind?.literal),
      ...(retryIf === undefined
        ? []
        : [expressionsIn(retryIf, pointerTo('nodes', nodeIndex, 'retry', 'retryIf'))]),
    ];
    problems.push(...found.flatMap((each) => each.problems));
    references.push(...found.flatMap((each) => each.references.map((placed) => ({ ...placed, nodeIndex }))));
  }
  return { problems, references };
}

/** The expressions in a value: what is wrong with each by itself, and the names they use. */
export function expressionsIn(
  value: JsonValue,
  pointer: string,
  literal?: NodeKind['literal'],
): {
  readonly problems: readonly Problem[];
  readonly references: readonly Omit<PlacedReference, 'nodeIndex'>[];
} {
  const { templates, errors } = parseTemplates(value, literal);
  const problems = errors.map((error): Problem => {
    const at = error.position === undefined ? '' : ` (at character ${error.position})`;
    return { code: 'expression_syntax', pointer: pointer + error.pointer, message: error.message + at };
  });
  const references = templates.expressions.flatMap(({ place, references: found }) => {
    const placed = { pointer: pointer + place.pointer, expression: place.source.trim() };
    return found.map((reference) => ({ ...placed, reference }));
  });
  return { problems, references };
}

function duplicateIds(nodes: readonly NodeDefinition[]): readonly Problem[] {
  const first = new Map<string, number>();
  return nodes.flatMap(({ id }, i): readonly Problem[] => {
    const earlier = first.get(id);
    if (earlier === undefined) {
      first.set(id, i);
      return [];
    }
    const message = `Another node, at /nodes/${earlier}, has the id ${id} already. Give this one another.`;
    return [{ code: 'duplicate_node_id', pointer: pointerTo('nodes', i, 'id'), message }];
  });
}

function missingTrigger(nodes: readonly NodeDefinition[], kinds: NodeKindRegistry): readonly Problem[] {
  if (nodes.some(({ type }) => kinds.get(type)?.role === 'trigger')) return [];
  const types = kinds
    .list()
    .filter(({ role }) => role === 'trigger')
    .map(({ type }) => type);
  const message = `No node is a trigger, so nothing can start this workflow. Add one of ${types.join(', ')}.`;
  return [{ code: 'no_trigger', pointer: '/nodes', message }];
}

function unknownType({ type }: NodeDefinition, index: number, kinds: NodeKindRegistry): Problem {
  const nearest = kinds.nearest(type);
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
  const message = `There is no node type ${type}.${hint}`;
  return { code: 'unknown_node_type', pointer: pointerTo('nodes', index, 'type'), message };
}

/** The kind's schema describes params whose expressions are resolved; here they are not. */
function paramProblems({ params }: NodeDefinition, kind: NodeKind, pointer: string): readonly Problem[] {
  const parsed = kind.params.safeParse(params);
  if (parsed.success) return [];
  const certain = parsed.error.issues.filter(
    (issue) => isLiteral(issue.path[0], kind) || !mayBeRightLater(issue, params),
  );
  return issueProblems(certain, 'invalid_params', pointer);
}

/** What the kind itself finds. */
function ownProblems(
  { params }: NodeDefinition,
  kind: NodeKind | undefined,
  pointer: string,
): readonly Problem[] {
  const found = kind?.check?.(params) ?? [];
  return found.map((problem) => ({ ...problem, pointer: pointer + problem.pointer }));
}

function isLiteral(param: PropertyKey | undefined, { literal = [] }: NodeKind): boolean {
  return typeof param === 'string' && literal.includes(param);
}

/**
 * Whether an issue is about a value that is computed later. A whole expression may become anything. Text with
 * expressions in it stays text, so its type is known already, and only its type.
 */
function mayBeRightLater(issue: z.core.$ZodIssue, params: JsonValue): boolean {
  let value: JsonValue | undefined = params;
  for (const key of issue.path) {
    value = memberAt(value, key);
    if (value === undefined) return false;
    if (templateForm(value) === 'whole') return true;
  }
  if (issue.code === 'invalid_union') return issue.errors.some((option) => allMayBeRight(option, value));
  return templateForm(value) === 'mixed' && issue.code !== 'invalid_type';
}

/** The issues of one option of a union, whose paths begin at the value of the union. */
function allMayBeRight(issues: readonly z.core.$ZodIssue[], value: JsonValue): boolean {
  return issues.length > 0 && issues.every((issue) => mayBeRightLater(issue, value));
}

function memberAt(value: JsonValue, key: PropertyKey): JsonValue | undefined {
  if (isJsonArray(value)) return value[Number(key)];
  return isJsonObject(value) && typeof key === 'string' && Object.hasOwn(value, key) ? value[key] : undefined;
}

function templateForm(value: JsonValue): 'whole' | 'mixed' | 'none' {
  if (typeof value !== 'string') return 'none';
  const scan = scanTemplate(value);
  // An expression that never ends is reported as such; nothing is known about its type.
  if (!scan.ok) return 'whole';
  if (!scan.parts.some(({ kind }) => kind === 'expression')) return 'none';
  return scan.parts.length === 1 ? 'whole' : 'mixed';
}
