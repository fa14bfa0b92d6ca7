import { z } from 'zod';
import type { JsonValue } from '../definition/json';
import type { WorkflowDefinition } from '../definition/schema';
import { type CompiledTemplates, parseTemplates, resolve } from '../expressions/template';

/** As many as a workflow's settings may have, and once more for those of the start. */
const MAX_LABELS = 20;
const MAX_VALUE = 200;
const NAME = '[a-z][a-z0-9_.-]{0,62}';

/** Labels that come with a start. They count more than those of the workflow's settings. */
export const givenLabels = z
  .record(z.string().regex(new RegExp(`^${NAME}$`)), z.string().min(1).max(MAX_VALUE))
  .refine((labels) => Object.keys(labels).length <= 10, { error: 'must have at most 10 labels' });

/** A label as it is looked for. */
export const wantedLabel = z
  .string()
  .regex(new RegExp(`^${NAME}:[^]{1,${MAX_VALUE}}$`), { error: 'must be a name and a value, as name:value' });

export type Labels = Readonly<Record<string, string>>;

/** The labels of a version's settings, made once for its starts. */
export type LabelTemplates = readonly (readonly [name: string, value: CompiledTemplates])[];

/** Label by label, so that one that cannot be evaluated does not take the others along. */
export function labelTemplates({ settings }: WorkflowDefinition): LabelTemplates {
  return Object.entries(settings?.labels ?? {}).flatMap(([name, value]) => {
    const { templates, errors } = parseTemplates(value);
    return errors.length === 0 ? [[name, templates] as const] : [];
  });
}

/** What the settings say of a start. An expression that fails gives no label: a start is not refused for one. */
export async function labelsOf(
  templates: LabelTemplates,
  start: { readonly trigger: JsonValue; readonly startedAt: string; readonly given: Labels },
): Promise<Labels | null> {
  const labels: Record<string, string> = {};
  for (const [name, value] of templates) {
    const text = await evaluated(value, start);
    if (text !== null) labels[name] = text;
  }
  const all = Object.entries({ ...labels, ...start.given }).slice(0, MAX_LABELS);
  return all.length === 0 ? null : Object.fromEntries(all);
}

async function evaluated(
  templates: CompiledTemplates,
  { trigger, startedAt }: { readonly trigger: JsonValue; readonly startedAt: string },
): Promise<string | null> {
  try {
    const run = { id: '', workflowId: '', workspaceId: '', version: 0, startedAt };
    return textOf(await resolve(templates, { trigger, nodes: {}, run }));
  } catch {
    return null;
  }
}

/** Control characters cannot be looked for, and PostgreSQL's text cannot hold all of them. */
function textOf(value: JsonValue): string | null {
  if (value === null || typeof value === 'object') return null;
  const text = String(value)
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, MAX_VALUE);
  return text === '' || !text.isWellFormed() ? null : text;
}
