import { z } from 'zod';
import type { NodeKind, NodeOutcome } from '../nodes/node-kind';

/**
 * A kind of node with an effect that tests can watch and steer: `test.effect` notes each call by run and node, and
 * ends when and how the test says.
 */
export class ScriptedEffects {
  readonly calls: { readonly runId: string; readonly nodeId: string; readonly idempotencyKey: string }[] = [];
  readonly #scripts = new Map<string, (signal: AbortSignal) => Promise<NodeOutcome>>();

  /** What the node of this id does from now on; by default it is done at once. */
  script(nodeId: string, behave: (signal: AbortSignal) => Promise<NodeOutcome>): void {
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
      execute: async ({ runId, nodeId, idempotencyKey, signal }) => {
        this.calls.push({ runId, nodeId, idempotencyKey });
        const behave = this.#scripts.get(nodeId);
        return behave ? behave(signal) : { kind: 'done', output: { called: this.calls.length } };
      },
    };
  }
}
