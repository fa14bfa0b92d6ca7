import type { Clock, Tx } from '#platform';
import type { Arrival } from './arrival';
import {
  claimReplays,
  giveUpReplays,
  readReplays,
  releaseReplays,
  replayParams,
  type SeenSignature,
} from './hook-replays.sql';

const DAY_SECONDS = 86_400;

/** By what a signature was brought before: an earlier delivery with its run, or one of the same batch. */
export type SeenBefore = { readonly runId: string } | { readonly first: Arrival };

/**
 * The signatures that were seen, as long as they could be sent again and pass. It is written in the transaction of the run:
 * when it cannot be written there is no run, and when it says that a call is not new, there is no second one.
 */
export class ReplayStore {
  constructor(private readonly clock: Clock) {}

  /** Notes what the arrivals have signed, and gives those that bring nothing new. */
  async claim(
    tx: Tx,
    arrivals: readonly Arrival[],
    daysOf: (arrival: Arrival) => number,
  ): Promise<ReadonlyMap<Arrival, SeenBefore>> {
    const seen = new Map<Arrival, SeenBefore>();
    const firsts = new Map<string, { readonly arrival: Arrival; readonly signature: SeenSignature }>();
    for (const arrival of arrivals) {
      const signature = signatureOf(arrival, daysOf(arrival));
      if (!signature) continue;
      const first = firsts.get(keyOf(signature));
      if (first) seen.set(arrival, { first: first.arrival });
      else firsts.set(keyOf(signature), { arrival, signature });
    }
    if (firsts.size === 0) return seen;
    const now = this.clock.pinned();
    const signatures = [...firsts.values()].map(({ signature }) => signature);
    await tx.query(giveUpReplays, ...replayParams.dated(now, signatures));
    const fresh = await tx.query(claimReplays, ...replayParams.whole(now, signatures));
    for (const one of fresh) firsts.delete(keyOf(one));
    if (firsts.size === 0) return seen;
    const known = [...firsts.values()].map(({ signature }) => signature);
    for (const held of await tx.query(readReplays, ...replayParams.named(known))) {
      const first = firsts.get(keyOf(held));
      if (first) seen.set(first.arrival, { runId: held.runId });
      firsts.delete(keyOf(held));
    }
    const [lost] = firsts.keys();
    if (lost !== undefined) throw new Error(`The signature ${lost} is known, but not what it has led to.`);
    return seen;
  }

  /** Forgets what arrivals have signed that started nothing: their senders may try again. */
  async release(tx: Tx, arrivals: readonly Arrival[]): Promise<void> {
    const signatures = arrivals.flatMap((arrival) => signatureOf(arrival, 1) ?? []);
    if (signatures.length > 0) await tx.query(releaseReplays, ...replayParams.named(signatures));
  }
}

/** Not kept for longer than the delivery, which says what it has led to. */
function signatureOf({ id, hookId, workspaceId, signature }: Arrival, days: number): SeenSignature | null {
  if (!signature) return null;
  const keepSeconds = Math.min(signature.keepSeconds, days * DAY_SECONDS);
  return { ...signature, keepSeconds, hookId, workspaceId, deliveryId: id };
}

function keyOf({ hookId, digestHex }: Pick<SeenSignature, 'hookId' | 'digestHex'>): string {
  return `${hookId} ${digestHex}`;
}
