import type { Expectation, History, NodeFacts, NodeRow, RunRow, Start, Write } from './history';
import { type Ownership, ownershipOf } from './ownership';

/** A history with what follows from it, looked up by what the checks ask for. */
export interface Facts {
  readonly history: History;
  readonly ownership: Ownership;
  readonly run: ReadonlyMap<string, RunRow>;
  /** By `nodeKey`. */
  readonly node: ReadonlyMap<string, NodeRow>;
  readonly nodesOf: ReadonlyMap<string, readonly NodeRow[]>;
  /** Writes to rows of nodes, by `nodeKey`, in order. */
  readonly nodeWrites: ReadonlyMap<string, readonly Write[]>;
  startOf(runId: string): Start | null;
  expectationOf(runId: string): Expectation | null;
  nodeFactsOf(runId: string, nodeId: string): NodeFacts | null;
  /** When the result of a node was written, which is just before its commit; null when it never was. */
  recordedAtMs(runId: string, nodeId: string): number | null;
}

/** A node of a run. */
export function nodeKey(runId: string, nodeId: string, iteration: string | null = ''): string {
  return `${runId} ${nodeId} ${iteration ?? ''}`;
}

/** A node with one of these has its result. */
const ENDED = new Set(['succeeded', 'failed', 'skipped', 'canceled']);

/** Whether a write gives a node its result. */
export function isResult({ table, status }: Write): boolean {
  return table === 'node' && status !== null && ENDED.has(status);
}

export function factsOf(history: History): Facts {
  const startByKey = new Map(history.starts.map((start) => [start.key, start]));
  const run = new Map(history.runs.map((row) => [row.id, row]));
  const nodeWrites = groupedBy(
    history.writes.filter(({ table }) => table === 'node'),
    ({ runId, nodeId, iteration }) => nodeKey(runId ?? '', nodeId ?? '', iteration),
  );
  const startOf = (runId: string) => startByKey.get(run.get(runId)?.key ?? '');
  const graphOf = (runId: string) => history.graphs.get(startOf(runId)?.graph ?? '');
  return {
    history,
    ownership: ownershipOf(history),
    run,
    node: new Map(history.nodes.map((row) => [nodeKey(row.runId, row.nodeId, row.iteration), row])),
    nodesOf: groupedBy(history.nodes, ({ runId }) => runId),
    nodeWrites,
    startOf: (runId) => startOf(runId) ?? null,
    expectationOf: (runId) => graphOf(runId)?.expected.get(run.get(runId)?.key ?? '') ?? null,
    nodeFactsOf: (runId, nodeId) => graphOf(runId)?.nodes.get(nodeId) ?? null,
    recordedAtMs: (runId, nodeId) => nodeWrites.get(nodeKey(runId, nodeId))?.find(isResult)?.atMs ?? null,
  };
}

/** Rows by a key, each group in the order of the rows. */
export function groupedBy<T>(
  rows: readonly T[],
  keyOf: (row: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}
