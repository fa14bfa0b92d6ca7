import { inspect } from 'node:util';
import type { Logger } from '#platform';
import type { GraphNode } from '../definition/graph';
import type { JsonValue } from '../definition/json';
import { ExpressionError } from '../expressions/expression-error';
import type { ExpressionScope } from '../expressions/scope';
import { resolve } from '../expressions/template';
import type { NodeExecution, NodeFailure, NodeOutcome } from '../nodes/node-kind';
import { noMask, type OutputMask } from '../nodes/output-mask';
import type { StandIns } from '../secrets/stand-ins';

/** What running a node needs beside the node itself. */
export interface NodeContext {
  readonly scope: ExpressionScope;
  readonly iteration: string;
  readonly attempt: number;
  readonly now: Date;
  readonly signal: AbortSignal;
  readonly mask: OutputMask;
  /** For a node that goes on after its wait. */
  readonly resumed: { readonly data: JsonValue; readonly message: JsonValue | undefined } | null;
}

/** A node whose expressions have their values, or what is wrong with them. */
export type PreparedNode = ReadyNode | { readonly ok: false; readonly failure: NodeFailure };

/** A node whose params are there. With secrets something still stands for each of their values. */
export interface ReadyNode {
  readonly ok: true;
  readonly resolved: JsonValue;
  readonly params: unknown;
  readonly standIns: StandIns | null;
}

/**
 * Resolves a node's expressions and parses its params. Answers at once when nothing in it takes time, so that a run of
 * pure nodes costs no turn of the event loop. Never throws: whatever is wrong is a failure that says what and where.
 */
export function prepareNode(
  node: GraphNode,
  scope: ExpressionScope,
  { standIns, logger }: { readonly standIns: StandIns | null; readonly logger: Logger },
): PreparedNode | Promise<PreparedNode> {
  const broken = (error: unknown): PreparedNode => ({
    ok: false,
    failure: failureOf(node, error, { logger, mask: noMask }),
  });
  if (node.misusesSecrets) return { ok: false, failure: changedSecret };
  try {
    const resolved = resolve(node.templates, scope, standIns?.texts);
    return resolved instanceof Promise
      ? resolved.then((value) => parsed(node, value, standIns)).catch(broken)
      : parsed(node, resolved, standIns);
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
  const broken = (error: unknown) => failureOf(node, error, { logger, mask: context.mask });
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

/**
 * The params of a node with the values of its secrets in place. What its schema says of a value is not repeated: it might
 * quote it.
 */
export function revealedParams(
  { kind }: GraphNode,
  { resolved, params, standIns }: ReadyNode,
  values: ReadonlyMap<string, string>,
): { readonly params: unknown } | NodeFailure {
  if (standIns === null) return { params };
  const missing = Object.keys(standIns.texts).filter((name) => !values.has(name));
  if (missing.length > 0) {
    const message = `The workspace has no secret ${missing.join(', ')}, or it cannot be read. An admin can set it.`;
    return permanent({ code: 'node.secret_missing', message, details: { secrets: missing } });
  }
  const result = kind.params.safeParse(standIns.revealed(resolved, values));
  if (result.success) return { params: result.data };
  const pointer = (result.error.issues[0]?.path ?? []).map((step) => `/${String(step)}`).join('');
  const message = `The value at ${pointer || 'the params'} is not right once its secrets are in place.`;
  return permanent({ code: 'node.bad_params', message, details: { pointer } });
}

function parsed({ kind }: GraphNode, resolved: JsonValue, standIns: StandIns | null): PreparedNode {
  if (standIns?.areWholeIn(resolved, kind.secrets ?? []) === false)
    return { ok: false, failure: changedSecret };
  const result = kind.params.safeParse(resolved);
  if (result.success) return { ok: true, resolved, params: result.data, standIns };
  const [issue] = result.error.issues;
  const pointer = (issue?.path ?? []).map((step) => `/${String(step)}`).join('');
  const message = `The value at ${pointer || 'the params'} is not right: ${issue?.message ?? 'unknown reason'}.`;
  return { ok: false, failure: permanent({ code: 'node.bad_params', message, details: { pointer } }) };
}

function inputOf(node: GraphNode, params: unknown, context: NodeContext): NodeExecution<unknown> {
  const { scope, iteration, attempt, now, signal, mask } = context;
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
    mask,
  };
}

const changedSecret: NodeFailure = permanent({
  code: 'node.secret_changed',
  message:
    'An expression changes a secret, or puts it where this node takes none. Its value is put in at the last moment, so it ' +
    'can only be passed on whole: alone, joined with `&`, or as a value in an object that is sent as JSON.',
});

function failureOf(
  node: GraphNode,
  error: unknown,
  { logger, mask }: { readonly logger: Logger; readonly mask: OutputMask },
): NodeFailure {
  if (error instanceof ExpressionError) {
    const { code, message, expression, pointer } = error;
    return permanent({ code: `node.${code}`, message, details: { expression, pointer } });
  }
  // An error of a kind may quote what it was given.
  const shown = mask === noMask ? error : mask.text(inspect(error));
  logger.error('a node kind threw', { error: shown, nodeType: node.kind.type, nodeId: node.id });
  const message = `The node type ${node.kind.type} failed unexpectedly.`;
  return { kind: 'failed', error: { code: 'node.crashed', message } };
}

/** What is wrong with an expression or a param is wrong the next time as well. */
function permanent(error: NodeFailure['error']): NodeFailure {
  return { kind: 'failed', error, retryable: false };
}
