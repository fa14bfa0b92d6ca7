import type { NodeError } from '../nodes/node-kind';

/** What one run may take, and how it shares its worker with others. Figures in the README beside. */
export const runLimits = {
  /** Nodes executed or skipped, loops included. */
  nodeRuns: 20_000,
  itemsPerLoop: 10_000,
  /** Outputs of all nodes together, as JSON text. A run in a worker's hands has them in memory. */
  bytes: 64 * 1024 * 1024,
  /** How many calls of workflows may lead from one to another. */
  callDepth: 10,
  /** Nodes after which a long computation lets others have a turn. */
  stepsPerTurn: 200,
  /** Rows that a long computation gathers before it records them. */
  rowsPerCheckpoint: 500,
  /** Of a request that is kept as evidence. */
  evidenceChars: 8_192,
} as const;

/** What is wrong with a run that has become too large; null when nothing is. */
export function sizeError(size: { readonly nodeRuns: number; readonly bytes: number }): NodeError | null {
  if (size.nodeRuns > runLimits.nodeRuns) {
    const message = `The run has executed more than ${runLimits.nodeRuns} nodes, which is the most that one run may. Let loops start runs of another workflow for their items.`;
    return { code: 'run.too_many_nodes', message };
  }
  if (size.bytes <= runLimits.bytes) return null;
  const message = `The outputs of the run have more than ${runLimits.bytes} bytes together. Pass on only what later nodes need.`;
  return { code: 'run.too_large', message };
}

/** What is wrong with a list that is too long for a loop. */
export function tooManyItems(count: number): { readonly error: NodeError } {
  const message = `The list has ${count} items; a loop goes through at most ${runLimits.itemsPerLoop}. Split the list, and start a run of another workflow for each part.`;
  return { error: { code: 'node.too_many_items', message } };
}
