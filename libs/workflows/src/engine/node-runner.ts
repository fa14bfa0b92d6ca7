import type { Logger } from '#platform';
import type { GraphNode } from '../definition/graph';
import { ExpressionError } from '../expressions/expression-error';
import type { ExpressionScope } from '../expressions/scope';
import { resolve } from '../expressions/template';
import type { JsonValue } from '../definition/json';
import type { NodeExecution, NodeKind, NodeOutcome } from '../nodes/node-kind';

/** A node, and whether it begins or goes on after its wait. */
export interface NodeTask {
  readonly node: GraphNode;
  readonly verb: 'execute' | 'resume';
}

/** What running a node needs beside the node itself. */
export interface NodeContext {
  readonly scope: ExpressionScope;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/**
 * Runs one node: resolves its expressions, parses its params, executes (or resumes) its kind. Answers at once when
 * nothing in it takes time, so that a run of pure nodes costs no turn of the event loop. Never throws: whatever goes
 * wrong is a failed outcome that says what and where.
 */
export function runNode(
  task: NodeTask,
  context: NodeContext,
  logger: Logger,
): NodeOutcome | Promise<NodeOutcome> {
  const broken = (error: unknown) => failure(task.node, error, { context, logger });
  try {
    const params = resolve(task.node.templates, context.scope);
    if (params instanceof Promise) {
      return params.then((resolved) => perform(task, resolved, context)).catch(broken);
    }
    const outcome = perform(task, params, context);
    return outcome instanceof Promise ? outcome.catch(broken) : outcome;
  } catch (error) {
    return broken(error);
  }
}

function perform(
  { node, verb }: NodeTask,
  resolved: JsonValue,
  context: NodeContext,
): NodeOutcome | Promise<NodeOutcome> {
  const kind: NodeKind = node.kind;
  const parsed = kind.params.safeParse(resolved);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const pointer = (issue?.path ?? []).map((step) => `/${String(step)}`).join('');
    return {
      kind: 'failed',
      error: {
        code: 'node.bad_params',
        message: `The value at ${pointer || 'the params'} is not right: ${issue?.message ?? 'unknown reason'}.`,
        details: { pointer },
      },
    };
  }
  const { scope } = context;
  const input: NodeExecution<unknown> = {
    params: parsed.data,
    trigger: scope.trigger,
    runId: scope.run.id,
    nodeId: node.id,
    workspaceId: scope.run.workspaceId,
    idempotencyKey: `${scope.run.id}:${node.id}`,
    now: context.now,
    signal: context.signal,
  };
  return verb === 'resume' && kind.resume ? kind.resume(input) : kind.execute(input);
}

function failure(
  node: GraphNode,
  error: unknown,
  { context, logger }: { readonly context: NodeContext; readonly logger: Logger },
): NodeOutcome {
  if (error instanceof ExpressionError) {
    return {
      kind: 'failed',
      error: {
        code: `node.${error.code}`,
        message: error.message,
        details: { expression: error.expression, pointer: error.pointer },
      },
    };
  }
  logger.error('a node kind threw', { error, nodeType: node.kind.type, runId: context.scope.run.id });
  return {
    kind: 'failed',
    error: { code: 'node.crashed', message: `The node type ${node.kind.type} failed unexpectedly.` },
  };
}
