/**
 * Evaluations of JSONata take turns. Each is a chain of microtasks that never waits for anything, so running
 * them interleaved would finish none of them earlier, and a hundred of them would eat each other's time limit.
 */
let lastTurn: Promise<unknown> = Promise.resolve();

/** Runs the work when everything that asked before has ended. Nothing in the work may wait for another turn. */
export function takeTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = lastTurn.then(work);
  lastTurn = turn.catch(() => undefined);
  return turn;
}
