import { createHash } from 'node:crypto';
import { AppError } from '#platform';
import type { JsonValue } from '../definition/json';
import { isJsonArray, isJsonObject } from '../definition/json-guards';
import type { WorkflowDefinition } from '../definition/schema';
import { ExpressionError } from '../expressions/expression-error';
import type { ExpressionScope } from '../expressions/scope';
import { compileTemplates, resolve } from '../expressions/template';
import { runErrors } from '../errors';

/** The slots that a run needs before it begins. */
export interface ConcurrencySlot {
  readonly keyHash: string;
  readonly limit: number;
}

/**
 * The slot of a run that is about to start; null when its workflow asks for none. The key is computed now and once, so
 * that its value cannot change while the run waits. Without a key all runs of the workflow share the slots. Throws
 * run.concurrency_key_invalid.
 */
export async function concurrencySlot(
  settings: WorkflowDefinition['settings'],
  scope: ExpressionScope,
): Promise<ConcurrencySlot | null> {
  const concurrency = settings?.concurrency;
  if (!concurrency) return null;
  const { key, limit } = concurrency;
  const value = key === undefined ? '' : canonical(await valueOf(key, scope));
  return { keyHash: hashOf(scope.run.workflowId, value), limit };
}

async function valueOf(key: string, scope: ExpressionScope): Promise<JsonValue> {
  try {
    return await resolve(compileTemplates(key), scope);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new AppError(runErrors.concurrency_key_invalid, {
      detail: `The run's concurrency key can not be computed. ${error.message}`,
      meta: { expression: key },
      problems: [{ pointer: '/input', code: error.code, message: error.message }],
      cause: error,
    });
  }
}

/** The same text for the same value, whatever the order of its members. */
function canonical(value: JsonValue): string {
  if (isJsonArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

/** In the form of a uuid: half of a SHA-256 is enough, and the column is sixteen bytes. */
function hashOf(workflowId: string, value: string): string {
  const hex = createHash('sha256').update(`${workflowId}\n${value}`).digest('hex');
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
