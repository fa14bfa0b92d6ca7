import type { SeededRandom } from '../random';
import type { Line } from '../lab/database-proxy';
import { CLOCK_MOVES } from '../lab/fake-clock';

/** One thing that is done to the installation. */
export type PlannedFault =
  | {
      readonly kind: 'kill worker' | 'kill api';
      /** One that does not take part yet. */ readonly starting: boolean;
    }
  | { readonly kind: 'freeze' | 'kill postgres' | 'terminate connections' | 'cut line' }
  | { readonly kind: 'disturb line'; readonly line: Line; readonly forMs: number; readonly thenCut: boolean }
  | { readonly kind: 'move clock'; readonly offset: string };

/** A fault and how long after the one before it. */
export interface Step {
  readonly afterMs: number;
  readonly fault: PlannedFault;
}

/** One kill in so many is of the API. */
const API_EVERY = 8;
/** And one in so many of a worker that is just starting. */
const STARTING_EVERY = 10;
/** Other faults come so often: one each after so many kills, and once at least. */
const OTHERS_EVERY = {
  freeze: 7,
  'kill postgres': 12,
  'terminate connections': 12,
  'cut line': 10,
  'disturb line': 4,
  'move clock': 8,
} as const;

/** What is done when: so many kills at random instants, and the other faults among them. The seed repeats it. */
export function planFaults(
  random: SeededRandom,
  { kills, clock }: { readonly kills: number; readonly clock: boolean },
): readonly Step[] {
  const steps: Step[] = [];
  const others = Object.entries(OTHERS_EVERY).filter(([kind]) => clock || kind !== 'move clock');
  const disturbances = disturbancesOf(random);
  for (let kill = 1; kill <= kills; kill += 1) {
    const kind = kill % API_EVERY === 0 ? 'kill api' : 'kill worker';
    const starting = kind === 'kill worker' && kill % STARTING_EVERY === 0;
    steps.push({ afterMs: random.between(100, 600), fault: { kind, starting } });
    for (const [other, every] of others) {
      // Spread over the period, so that not all come with the same kill; and within the first kills of a short plan.
      const phase = Math.min(every, kills) - 1 - (other.length % Math.min(every, kills));
      if ((kill - 1) % every !== phase) continue;
      const fault = faultOf(other, random, disturbances);
      if (fault) steps.push({ afterMs: random.between(100, 600), fault });
    }
  }
  return steps;
}

function faultOf(
  kind: string,
  random: SeededRandom,
  disturbances: Iterator<PlannedFault, undefined>,
): PlannedFault | undefined {
  switch (kind) {
    case 'disturb line':
      return disturbances.next().value;
    case 'move clock':
      return { kind, offset: random.pick(CLOCK_MOVES) };
    case 'freeze':
    case 'kill postgres':
    case 'terminate connections':
    case 'cut line':
      return { kind };
    default:
      throw new Error(`There is no fault "${kind}".`);
  }
}

/** Each disturbance in turn, so that a short plan has all of them. */
function* disturbancesOf(random: SeededRandom): Generator<PlannedFault, undefined> {
  for (;;) {
    const kinds: readonly Line[] = [
      { kind: 'reply-lost', share: 0.3 },
      { kind: 'held' },
      { kind: 'request-lost', share: 0.3 },
      { kind: 'slow', delayMs: 200 },
    ];
    for (const line of kinds) {
      const forMs = random.between(1_000, 4_000);
      yield { kind: 'disturb line', line, forMs, thenCut: random.fraction() < 0.5 };
    }
  }
}
