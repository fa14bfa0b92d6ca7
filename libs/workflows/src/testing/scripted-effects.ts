import { z } from 'zod';
import type { NodeKind, NodeOutcome } from '../nodes/node-kind';

/** One execution of the node. */
export interface Call {
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
}

type Script = (signal: AbortSignal, call: Call) => Promise<NodeOutcome>;

/**
 * A kind of node with an effect that tests can watch and steer: `test.effect` notes each call by run and node, and
 * ends when and how the test says.
 */
export class ScriptedEffects {
  readonly calls: Call[] = [];
  readonly #scripts = new Map<string, Script>();

  /** What the node of this id does from now on; by default it is done at once. */
  script(nodeId: string, behave: Script): void {
    this.#scripts.set(nodeId, behave);
  }

  kind(): NodeKind {
    return {
      type: 'test.effect',
      title: 'Test effect',
      description: 'Notes its calls.',
      role: 'action',
      purity: 'effect',
      params: z.record(z.string(), z.unknown()),
      ports: () => ['out'],
      execute: async ({ runId, nodeId, iteration, attempt, idempotencyKey, signal }) => {
        const call = { runId, nodeId, iteration, attempt, idempotencyKey };
        this.calls.push(call);
        const behave = this.#scripts.get(nodeId);
        return behave ? behave(signal, call) : { kind: 'done', output: { called: this.calls.length } };
      },
    };
  }
}
