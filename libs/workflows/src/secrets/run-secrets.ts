import type { Random } from '#platform';
import type { GraphNode } from '../definition/graph';
import type { NodeOutcome } from '../nodes/node-kind';
import { noMask, type OutputMask } from '../nodes/output-mask';
import { maskedOutcome } from './mask-outcome';
import type { KnownSecret, SecretValues } from './secret-values.service';
import { StandIns } from './stand-ins';

const NONCE_BYTES = 16;

/** The secrets of one run in a worker's hands: what stands for them, their values at the effect, and the mask of what comes back. */
export interface RunSecrets {
  /** Knows every value that this run was given so far in this process. */
  readonly mask: OutputMask;
  /** For one execution of a node; null for a node that names no secret. */
  standInsFor(node: GraphNode): StandIns | null;
  /** The values of these secrets as they are now; a name that is missing has none. From here on they are masked. */
  current(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** What an execution gave, masked. */
  masked(outcome: NodeOutcome): NodeOutcome;
}

/** Of a run whose definition names no secret: nothing is looked up, drawn or masked. */
export const noSecrets: RunSecrets = {
  mask: noMask,
  standInsFor: () => null,
  current: () => Promise.resolve(new Map()),
  masked: (outcome) => outcome,
};

/** What the secrets of a run are made of. */
export interface HeldSecretsParts {
  readonly cellId: string;
  readonly workspaceId: string;
  /** All that the definition names, in whatever node. */
  readonly names: readonly string[];
  readonly values: SecretValues;
  readonly random: Random;
}

const tooDeep: NodeOutcome = {
  kind: 'failed',
  error: { code: 'node.output_not_json', message: 'What the node gives is nested too deeply.' },
  retryable: false,
};

/** Of a run whose definition names secrets. */
export class HeldSecrets implements RunSecrets {
  /** Values that were replaced while the run went on stay among them: an answer may echo what was sent before. */
  readonly #seen = new Set<KnownSecret>();
  #mask: OutputMask = noMask;

  constructor(
    private readonly parts: HeldSecretsParts,
    known: readonly KnownSecret[],
  ) {
    this.#see(known);
  }

  get mask(): OutputMask {
    return this.#mask;
  }

  standInsFor({ secrets }: GraphNode): StandIns | null {
    if (secrets.length === 0) return null;
    return new StandIns(secrets, this.parts.random.bytes(NONCE_BYTES).toString('hex'));
  }

  async current(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { values, cellId, workspaceId } = this.parts;
    // All of them, so that the mask knows what other nodes are given meanwhile.
    const wanted = { workspaceId, names: this.parts.names };
    const known = (await values.read(cellId, [wanted]))(wanted);
    this.#see(known);
    return new Map(
      known.filter(({ name }) => names.includes(name)).map(({ name, value }) => [name, value.reveal()]),
    );
  }

  masked(outcome: NodeOutcome): NodeOutcome {
    try {
      return maskedOutcome(outcome, this.#mask);
    } catch (error) {
      // The walk through a value recurses. What is too deep for it is too deep to be stored as well.
      if (error instanceof RangeError) return tooDeep;
      throw error;
    }
  }

  #see(known: readonly KnownSecret[]): void {
    const fresh = known.filter((secret) => !this.#seen.has(secret));
    if (fresh.length === 0) return;
    for (const secret of fresh) this.#seen.add(secret);
    this.#mask = this.parts.values.maskerOf(this.parts.workspaceId, [...this.#seen]);
  }
}
