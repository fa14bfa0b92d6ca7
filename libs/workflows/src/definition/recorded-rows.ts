import type { Graph } from './graph';
import type { JsonValue } from './json';
import type { LoopItems, PlaceError, PlaceResult } from './results';

/** What the walk needs to know of a recorded node run. */
export interface RecordedRow {
  readonly nodeId: string;
  readonly iteration: string;
  readonly status: 'running' | 'waiting' | 'succeeded' | 'failed' | 'skipped' | 'canceled';
  /** The output ports taken, joined by commas. */
  readonly ports: string;
  readonly output: JsonValue;
  readonly error: PlaceError | null;
  /** What a loop that has begun goes through. */
  readonly loop: LoopItems | null;
}

/** Recorded node runs, found by node and iteration. */
export class RecordedRows {
  readonly #byIteration = new Map<string, Map<string, RecordedRow>>();

  constructor(rows: readonly RecordedRow[]) {
    for (const row of rows) {
      const known = this.#byIteration.get(row.iteration);
      if (known) known.set(row.nodeId, row);
      else this.#byIteration.set(row.iteration, new Map([[row.nodeId, row]]));
    }
  }

  /** Whether anything of an iteration of this graph was recorded. */
  has(graph: Graph, iteration: string): boolean {
    const rows = this.#byIteration.get(iteration);
    return rows !== undefined && graph.nodes.some(({ id }) => rows.has(id));
  }

  /** The results of the nodes of a graph that are settled. Skipped nodes follow from them. */
  resultsIn(
    graph: Graph,
    iteration: string,
  ): readonly { readonly index: number; readonly result: PlaceResult }[] {
    const rows = this.#byIteration.get(iteration);
    if (rows === undefined) return [];
    return graph.nodes.flatMap(({ id, index }) => {
      const row = rows.get(id);
      const result = row && resultOf(row);
      return result ? [{ index, result }] : [];
    });
  }

  /** What the loop of that node goes through; null when it has not begun, or is settled. */
  loopAt(nodeId: string, iteration: string): LoopItems | null {
    return this.#byIteration.get(iteration)?.get(nodeId)?.loop ?? null;
  }
}

function resultOf({ status, ports, output, error }: RecordedRow): PlaceResult | null {
  if (status === 'succeeded') {
    return { status: 'succeeded', ports: ports === '' ? [] : ports.split(','), output };
  }
  if (status !== 'failed') return null;
  return { status: 'failed', error: error ?? { code: 'node.failed', message: 'The node failed.' } };
}
