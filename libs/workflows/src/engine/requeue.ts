import type { Tx } from '#platform';
import { joined } from './sql/columns';
import { type HeldLetter, lockLetters, settleLetters } from './sql/requeue.sql';

/** A start that takes up a run which failed. The dead letter is its key: it gives one run, whoever asks. */
export interface Requeue {
  /** Of the run that failed. */
  readonly letterOf: string;
  readonly by: string;
}

/** The letter was settled before: by the run it was requeued as, or without one. */
export type LetterTaken =
  | { readonly kind: 'replayed'; readonly runId: string }
  | { readonly kind: 'letter_closed'; readonly state: 'discarded' | 'missing' };

interface Candidate {
  readonly runId: string;
  readonly request: { readonly startedBy: string; readonly requeue?: Requeue };
}

/** Starts of one batch that want the letter of an earlier one in it, with that one. */
export function repeatedRequeues<C extends Candidate>(candidates: readonly C[]): ReadonlyMap<C, C> {
  const first = new Map<string, C>();
  const repeated = new Map<C, C>();
  for (const candidate of candidates) {
    const { requeue } = candidate.request;
    if (!requeue) continue;
    const earlier = first.get(requeue.letterOf);
    if (earlier) repeated.set(candidate, earlier);
    else first.set(requeue.letterOf, candidate);
  }
  return repeated;
}

/** Decides the starts whose letter is not open any more; the letters of the others are held until the commit. */
export async function takenLetters<C extends Candidate>(
  tx: Tx,
  candidates: readonly C[],
): Promise<ReadonlyMap<C, LetterTaken>> {
  const wanting = candidates.flatMap((candidate) => {
    const { requeue } = candidate.request;
    return requeue ? [{ candidate, letterOf: requeue.letterOf }] : [];
  });
  if (wanting.length === 0) return new Map();
  const held = await tx.query(
    lockLetters,
    wanting.map(({ letterOf }) => letterOf),
  );
  const letters = new Map(held.map((letter) => [letter.runId, letter]));
  return new Map(
    wanting.flatMap(({ candidate, letterOf }) => {
      const taken = takenBefore(letters.get(letterOf));
      return taken ? [[candidate, taken] as const] : [];
    }),
  );
}

/** Notes with the letters which runs have taken them up. */
export async function settleRequeues(
  tx: Tx,
  admitted: readonly Candidate[],
  now: Date | null,
): Promise<void> {
  const settled = admitted.flatMap(({ runId, request: { requeue } }) =>
    requeue ? [{ runId, ...requeue }] : [],
  );
  if (settled.length === 0) return;
  await tx.query(
    settleLetters,
    joined(settled, ({ letterOf }) => letterOf),
    joined(settled, ({ runId }) => runId),
    joined(settled, ({ by }) => by),
    now,
  );
}

function takenBefore(letter: HeldLetter | undefined): LetterTaken | null {
  if (letter?.state === 'open') return null;
  if (letter && letter.requeuedRunId !== null) return { kind: 'replayed', runId: letter.requeuedRunId };
  return { kind: 'letter_closed', state: letter ? 'discarded' : 'missing' };
}
