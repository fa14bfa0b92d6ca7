import type { Logger } from '#platform';
import type { GraphNode } from '../definition/graph';
import type { JsonValue } from '../definition/json';
import { ExpressionError } from '../expressions/expression-error';
import type { ExpressionScope } from '../expressions/scope';
import { resolve } from '../expressions/template';
import type { NodeExecution, NodeFailure, NodeOutcome } from '../nodes/node-kind';

/** What running a node needs beside the node itself. */
export interface NodeContext {
  readonly scope: ExpressionScope;
  readonly iteration: string;
  readonly attempt: number;
  readonly now: Date;
  readonly signal: AbortSignal;
  /** For a node that goes on after its wait. */
  readonly resumed: { readonly data: JsonValue; readonly message: JsonValue | undefined } | null;
}

/** A node whose expressions have their values, or what is wrong with them. */
export type PreparedNode =
  | { readonly ok: true; readonly resolved: JsonValue; readonly params: unknown }
  | { readonly ok: false; readonly failure: NodeFailure };

/**
 * Resolves a node's expressions and parses its params. Answers at once when nothing in it takes time, so that a run of
 * pure nodes costs no turn of the event loop. Never throws: whatever is wrong is a failure that says what and where.
 */
export function prepareNode(
  node: GraphNode,
  scope: ExpressionScope,
  logger: Logger,
): PreparedNode | Promise<PreparedNode> {
  const broken = (error: unknown): PreparedNode => ({ ok: false, failure: failureOf(node, error, logger) });
  try {
    const resolved = resolve(node.templates, scope);
    return resolved instanceof Promise
      ? resolved.then((value) => parsed(node, value)).catch(broken)
      : parsed(node, resolved);
  } catch (error) {
    return broken(error);
  }
}

/** Executes (or resumes) a prepared node. Never throws. */
export function performNode(
  node: GraphNode,
  params: unknown,
  { context, logger }: { readonly context: NodeContext; readonly logger: Logger },
): NodeOutcome | Promise<NodeOutcome> {
  const broken = (error: unknown) => failureOf(node, error, logger);
  try {
    const input = inputOf(node, params, context);
    const { kind } = node;
    const outcome =
      context.resumed !== null && kind.resume
        ? kind.resume({ ...input, ...context.resumed })
        : kind.execute(input);
    return outcome instanceof Promise ? outcome.catch(broken) : outcome;
  } catch (error) {
    return broken(error);
  }
}

function parsed({ kind }: GraphNode, resolved: JsonValue): PreparedNode {
  const result = kind.params.safeParse(resolved);
  if (result.success) return { ok: true, resolved, params: result.data };
  const [issue] = result.error.issues;
  const pointer = (issue?.path ?? []).map((step) => `/${String(step)}`).join('');
  const message = `The value at ${pointer || 'the params'} is not right: ${issue?.message ?? 'unknown reason'}.`;
  return { ok: false, failure: permanent({ code: 'node.bad_params', message, details: { pointer } }) };
}

function inputOf(node: GraphNode, params: unknown, context: NodeContext): NodeExecution<unknown> {
  const { scope, iteration, attempt, now, signal } = context;
  const place = iteration === '' ? node.id : `${node.id}:${iteration}`;
  return {
    params,
    trigger: scope.trigger,
    runId: scope.run.id,
    nodeId: node.id,
    iteration,
    workspaceId: scope.run.workspaceId,
    idempotencyKey: `${scope.run.id}:${place}`,
    attempt,
    now,
    runStartedAt: scope.run.startedAt,
    signal,
  };
}

function failureOf(node: GraphNode, error: unknown, logger: Logger): NodeFailure {
  if (error instanceof ExpressionError) {
    const { code, message, expression, pointer } = error;
    return permanent({ code: `node.${code}`, message, details: { expression, pointer } });
  }
  logger.error('a node kind threw', { error, nodeType: node.kind.type, nodeId: node.id });
  const message = `The node type ${node.kind.type} failed unexpectedly.`;
  return { kind: 'failed', error: { code: 'node.crashed', message } };
}

/** What is wrong with an expression or a param is wrong the next time as well. */
function permanent(error: NodeFailure['error']): NodeFailure {
  return { kind: 'failed', error, retryable: false };
}
