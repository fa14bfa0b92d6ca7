import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Accepted } from './deliveries.service';
import type { HookReply } from './hooks.service';
import type { RunAnswer } from './run-answers.service';

export const acceptedHook = z
  .object({
    runId: z.uuid(),
    deliveryId: z.uuid().describe('Its entry in the inbox.'),
    duplicate: z.boolean().describe('An earlier delivery had started the run.'),
  })
  .meta({ id: 'AcceptedHook' });

/**
 * Laid over what a respond node says: its answer is written by a workflow, and ours is the address it comes from. A page
 * in it has no origin, so it reaches nothing of the visitor's here; and nothing is taken for a page that does not say so.
 */
const CONTAINED = { 'content-security-policy': 'sandbox', 'x-content-type-options': 'nosniff' } as const;

/** Sends what a call is answered. */
export function sendReply(reply: FastifyReply, answer: HookReply): void {
  switch (answer.kind) {
    case 'alive':
      return sendText(reply, '');
    case 'echo':
      return sendText(reply, answer.text);
    case 'accepted':
      return sendAccepted(reply, answer.delivery);
    case 'waited':
      return sendWaited(reply, answer.delivery, answer.answer);
    default:
      return answer satisfies never;
  }
}

/** Never as a page: what is echoed was written by whoever called. */
function sendText(reply: FastifyReply, text: string): void {
  void reply.status(200).headers(CONTAINED).header('content-type', 'text/plain; charset=utf-8').send(text);
}

function sendAccepted(reply: FastifyReply, delivery: Accepted): void {
  void reply.status(delivery.duplicate ? 200 : 202).send(acceptedHook.parse(delivery));
}

function sendWaited(reply: FastifyReply, delivery: Accepted, answer: RunAnswer | null): void {
  // The run is accepted and goes on: an error would make the sender call again.
  if (!answer) return void reply.status(202).send(acceptedHook.parse(delivery));
  if (answer.kind === 'over') {
    const status = answer.outcome === 'succeeded' ? 200 : 502;
    return void reply.status(status).send({ runId: delivery.runId, status: answer.outcome });
  }
  const { status, headers, body } = answer.response;
  void reply.status(status).headers(headers).headers(CONTAINED).header('millrace-run-id', delivery.runId);
  if (body === undefined) return void reply.send();
  const isText = typeof body === 'string';
  if (!reply.hasHeader('content-type')) {
    void reply.header(
      'content-type',
      isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
    );
  }
  void reply.send(Buffer.from(isText ? body : JSON.stringify(body)));
}
