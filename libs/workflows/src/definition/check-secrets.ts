import { SECRET_NAME } from '../expressions/secret-use';
import { type CompiledTemplates, parseTemplates } from '../expressions/template';
import type { NodeKind } from '../nodes/node-kind';
import type { NodeKindRegistry } from '../nodes/registry';
import type { JsonValue } from './json';
import { pointerTo } from './pointer';
import type { Problem } from './problem';
import type { WorkflowDefinition } from './schema';

/** More than a workflow needs; each of them is looked for in whatever its runs give back. */
const MAX_SECRETS = 20;

/** A secret that a definition names, and where. */
export interface SecretReference {
  readonly name: string;
  /** Of the string with the expression, from the root of the definition. */
  readonly pointer: string;
}

/** Expressions that name secrets where none may be, or do more with them than pass them on. */
export function secretProblems(definition: WorkflowDefinition, kinds: NodeKindRegistry): readonly Problem[] {
  const found = placesIn(definition, kinds);
  const names = new Set(found.flatMap(({ use }) => use.names));
  const problems = found.flatMap(({ pointer, use: { misuse }, refusal }): readonly Problem[] => {
    if (refusal !== null) return [{ code: 'secret_not_allowed', pointer, message: refusal }];
    return misuse === null ? [] : [{ code: 'secret_not_whole', pointer, message: misuse.reason }];
  });
  if (names.size <= MAX_SECRETS) return problems;
  const message = `The workflow uses ${names.size} secrets; ${MAX_SECRETS} are allowed. Split it into several.`;
  return [...problems, { code: 'too_many_secrets', pointer: '/nodes', message }];
}

/** The secrets that a valid definition names, each as often as it stands there. */
export function secretReferences(
  definition: WorkflowDefinition,
  kinds: NodeKindRegistry,
): readonly SecretReference[] {
  return placesIn(definition, kinds).flatMap(({ pointer, use }) =>
    use.names.filter((name) => SECRET_NAME.test(name)).map((name) => ({ name, pointer })),
  );
}

interface Place {
  readonly pointer: string;
  readonly use: CompiledTemplates['expressions'][number]['secrets'];
  /** Why no secret may stand there; null when it may. */
  readonly refusal: string | null;
}

function placesIn({ nodes, settings }: WorkflowDefinition, kinds: NodeKindRegistry): readonly Place[] {
  const where = `Secrets may be used in ${takers(kinds)}.`;
  const inNodes = nodes.flatMap(({ type, params, retry }, i) => {
    const kind = kinds.get(type);
    const base = pointerTo('nodes', i, 'params');
    const inParams = usesIn(params, base, kind).map(({ param, ...place }): Place => {
      const isAllowed = kind?.secrets?.includes(param) ?? false;
      return { ...place, refusal: isAllowed ? null : `No secret may stand in ${param} of ${type}. ${where}` };
    });
    const condition = usesIn(retry?.retryIf ?? null, pointerTo('nodes', i, 'retry', 'retryIf'));
    return [...inParams, ...condition.map((place) => elsewhere(place, where))];
  });
  const labels = Object.entries(settings?.labels ?? {});
  const inSettings = [
    ...usesIn(settings?.concurrency?.key ?? null, pointerTo('settings', 'concurrency', 'key')),
    ...labels.flatMap(([label, value]) => usesIn(value, pointerTo('settings', 'labels', label))),
  ];
  return [...inNodes, ...inSettings.map((place) => elsewhere(place, where))];
}

function elsewhere({ pointer, use }: Use, where: string): Place {
  return { pointer, use, refusal: `No secret may stand here, because what it gives is kept. ${where}` };
}

interface Use {
  readonly pointer: string;
  readonly param: string;
  readonly use: Place['use'];
}

function usesIn(value: JsonValue, base: string, kind?: NodeKind): readonly Use[] {
  // Parsing costs; most definitions name no secret anywhere.
  if (!JSON.stringify(value).includes('secrets')) return [];
  return parseTemplates(value, kind?.literal).templates.expressions.flatMap(({ place, secrets }) => {
    if (secrets.names.length === 0 && secrets.misuse === null) return [];
    const param = (place.pointer.split('/')[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
    return [{ pointer: base + place.pointer, param, use: secrets }];
  });
}

/** `url, headers of http.request`, and so on. */
function takers(kinds: NodeKindRegistry): string {
  return kinds
    .list()
    .flatMap(({ type, secrets }) => (secrets ? [`${secrets.join(', ')} of ${type}`] : []))
    .join('; ');
}
