import type { WorkflowDefinition } from './schema';
import { reachableFrom } from './topology';

/** What is recorded of a node outside loops; a loop is one node. */
export interface NodeOfRun {
  readonly nodeId: string;
  readonly status: 'running' | 'waiting' | 'succeeded' | 'failed' | 'skipped' | 'canceled';
}

/** Why a run can not begin again at a node. */
export type NoBeginning = 'unknown' | 'in_body' | 'not_reached';

/**
 * Which results a run keeps that does another one again from a node on: those of all nodes that do not come behind that
 * node. What had not succeeded is executed again wherever it stands: a failure that ended the run, and what was under
 * way then. A node that was skipped stays skipped as long as everything that it was skipped for is kept.
 */
export function keptNodes(
  { nodes, edges }: WorkflowDefinition,
  recorded: readonly NodeOfRun[],
  from: string,
): { readonly kept: readonly string[] } | { readonly reason: NoBeginning } {
  const beginning = nodes.find(({ id }) => id === from);
  if (!beginning) return { reason: 'unknown' };
  if (beginning.parent !== undefined) return { reason: 'in_body' };
  const statuses = new Map(recorded.map(({ nodeId, status }) => [nodeId, status]));
  const reached = statuses.get(from);
  if (reached === undefined || reached === 'skipped') return { reason: 'not_reached' };

  const indices = new Map(nodes.map(({ id }, i) => [id, i]));
  const arrows = {
    nodeCount: nodes.length,
    edges: edges.map((edge) => ({ from: indices.get(edge.from) ?? -1, to: indices.get(edge.to) ?? -1 })),
  };
  const behind = reachableFrom([indices.get(from) ?? -1], arrows);
  const decided = new Map<string, boolean>();
  const isKept = (id: string): boolean => {
    const known = decided.get(id);
    if (known !== undefined) return known;
    const kept = !behind.has(indices.get(id) ?? -1) && isSettled(id);
    decided.set(id, kept);
    return kept;
  };
  const isSettled = (id: string): boolean => {
    switch (statuses.get(id)) {
      case 'succeeded':
        return true;
      case 'failed':
        return isHandled(id);
      case 'skipped':
        return edges.every((edge) => edge.to !== id || isKept(edge.from));
      default:
        return false;
    }
  };
  const isHandled = (id: string): boolean =>
    nodes.some((node) => node.id === id && node.onError === 'continue') ||
    edges.some((edge) => edge.from === id && edge.port === 'error');
  return { kept: nodes.filter(({ id, parent }) => parent === undefined && isKept(id)).map(({ id }) => id) };
}
