import type { Expectation, History, NodeFacts, NodeRow, RunRow, Start, Write } from './history';
import { type Ownership, ownershipOf } from './ownership';
import { frameAt, isWithin, type Place, placeKey } from './place';

/** A history with what follows from it, looked up by what the checks ask for. */
export interface Facts {
  readonly history: History;
  readonly ownership: Ownership;
  readonly run: ReadonlyMap<string, RunRow>;
  /** By `placeKey`. */
  readonly node: ReadonlyMap<string, NodeRow>;
  readonly nodesOf: ReadonlyMap<string, readonly NodeRow[]>;
  /** Writes to rows of nodes, by `placeKey`, in order. */
  readonly nodeWrites: ReadonlyMap<string, readonly Write[]>;
  /** The start that brought a run about: its own, or that of the run that called it. */
  startOf(runId: string): Start | null;
  expectationOf(runId: string): Expectation | null;
  nodeFactsOf(place: Place): NodeFacts | null;
  /** Where another node stands for a place: once when it is in no other loops, else in each of their items. */
  placesOf(nodeId: string, place: Place): readonly Place[];
  /** When the result of a place was written, which is just before its commit; null when it never was. */
  recordedAtMs(place: Place): number | null;
  /** When the first row of a place was written; null when there never was one. */
  begunAtMs(place: Place): number | null;
}

/** A node with one of these has its result. */
const ENDED = new Set(['succeeded', 'failed', 'skipped', 'canceled']);

/** Whether a write gives a node its result. */
export function isResult({ table, status }: Write): boolean {
  return table === 'node' && status !== null && ENDED.has(status);
}

/** The place that a write to a node's row is about. */
function placeOf({ runId, nodeId, iteration }: Write): Place {
  return { runId: runId ?? '', nodeId: nodeId ?? '', iteration: iteration ?? '' };
}

function nodeOf({ runId, nodeId }: Place): string {
  return `${runId} ${nodeId}`;
}

/** The key of the start behind a key: that of a called run is its caller's with more behind a slash. */
function startKeyOf(key: string): string {
  return key.split('/')[0] ?? '';
}

export function factsOf(history: History): Facts {
  const run = new Map(history.runs.map((row) => [row.id, row]));
  const nodeWrites = groupedBy(
    history.writes.filter(({ table }) => table === 'node'),
    (write) => placeKey(placeOf(write)),
  );
  const seen = groupedBy(
    [...nodeWrites.values()].flatMap(([write]) => (write ? [placeOf(write)] : [])),
    nodeOf,
  );
  const keyOf = (runId: string) => run.get(runId)?.key ?? '';
  const graphByKey = new Map(
    [...history.graphs.values()].flatMap((graph) => [...graph.expected.keys()].map((key) => [key, graph])),
  );
  const graphOf = (runId: string) => graphByKey.get(keyOf(runId));
  const startByKey = new Map(history.starts.map((start) => [start.key, start]));
  const nodeFactsOf = ({ runId, nodeId }: Place) => graphOf(runId)?.nodes.get(nodeId) ?? null;
  return {
    history,
    ownership: ownershipOf(history),
    run,
    node: new Map(history.nodes.map((row) => [placeKey(row), row])),
    nodesOf: groupedBy(history.nodes, ({ runId }) => runId),
    nodeWrites,
    startOf: (runId) => startByKey.get(startKeyOf(keyOf(runId))) ?? null,
    expectationOf: (runId) => graphOf(runId)?.expected.get(keyOf(runId)) ?? null,
    nodeFactsOf,
    placesOf: (nodeId, place) => {
      const own = nodeFactsOf(place)?.loops ?? [];
      const loops = nodeFactsOf({ ...place, nodeId })?.loops ?? [];
      const shared = loops.filter((loop, depth) => loop === own[depth]).length;
      const frame = frameAt(shared, place.iteration);
      if (loops.length === shared) return [{ runId: place.runId, nodeId, iteration: frame }];
      return (seen.get(nodeOf({ ...place, nodeId })) ?? []).filter(({ iteration }) =>
        isWithin(frame, iteration),
      );
    },
    recordedAtMs: (place) => nodeWrites.get(placeKey(place))?.find(isResult)?.atMs ?? null,
    begunAtMs: (place) => nodeWrites.get(placeKey(place))?.[0]?.atMs ?? null,
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
