import type { NodeError, NodeOutcome } from '../nodes/node-kind';
import type { OutputMask } from '../nodes/output-mask';

/** What an execution gave, with the secrets taken out of everything that is kept, shown or handed on. */
export function maskedOutcome(outcome: NodeOutcome, mask: OutputMask): NodeOutcome {
  switch (outcome.kind) {
    case 'done':
      return { ...outcome, output: mask.json(outcome.output) };
    case 'wait':
      return outcome.data === undefined ? outcome : { ...outcome, data: mask.json(outcome.data) };
    case 'failed':
      return { ...outcome, error: maskedError(outcome.error, mask) };
    case 'loop':
      return { ...outcome, items: outcome.items.map((item) => mask.json(item)) };
    case 'call':
      return { ...outcome, input: mask.json(outcome.input) };
    default:
      return outcome satisfies never;
  }
}

function maskedError({ code, message, details }: NodeError, mask: OutputMask): NodeError {
  const told = { code, message: mask.text(message) };
  return details === undefined ? told : { ...told, details: mask.object(details) };
}
