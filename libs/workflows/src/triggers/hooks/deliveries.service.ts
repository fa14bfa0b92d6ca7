import { Injectable } from '@nestjs/common';
import { AppError, Clock, Ids, isOutage, platformErrors } from '#platform';
import { MAX_OUTPUT_BYTES } from '../../engine/recorder';
import type { StartIdempotency, StartRequest } from '../../engine/run-starter';
import type { JsonObject } from '../../definition/json';
import { accepted, Runs } from '../../runs/runs.service';
import type { Arrival } from './arrival';
import { dedupeKey } from './dedupe-key';
import { hookEvent, type ShownRequest } from './hook-event';
import { Inboxes } from './inboxes.service';
import type { LiveHook } from './live-hooks.service';

/** Something that comes to a hook, and who brings it. */
export interface Delivery extends Pick<
  Arrival,
  'source' | 'replayOf' | 'by' | 'method' | 'body' | 'signature'
> {
  readonly hook: LiveHook;
  readonly shown: ShownRequest;
  /** By what it is known when it comes again; `dedupe` for what the hook says. */
  readonly key: 'dedupe' | StartIdempotency | null;
}

/** A delivery that is stored, with its run. */
export interface Accepted {
  readonly deliveryId: string;
  readonly runId: string;
  /** Whether an earlier delivery had started the run. */
  readonly duplicate: boolean;
}

type Wanted = { readonly request: StartRequest } | { readonly error: AppError };

/** Makes runs of deliveries. */
@Injectable()
export class Deliveries {
  constructor(
    private readonly inboxes: Inboxes,
    private readonly runs: Runs,
    private readonly ids: Ids,
    private readonly clock: Clock,
  ) {}

  /** Stores a delivery and starts its run: both, or neither. Throws why there is no run; then it is stored as refused. */
  async accept(delivery: Delivery): Promise<Accepted> {
    const { hook, shown, body, key: _, ...rest } = delivery;
    const { workspaceId, hookId, version } = hook;
    const event = hookEvent(shown, body);
    const wanted = await this.#wanted(delivery, event);
    const id = this.ids.next();
    const settled = await this.inboxes.store({
      ...rest,
      id,
      workspaceId,
      hookId,
      workflowId: version.workflowId,
      headers: JSON.stringify(shown.headers),
      query: JSON.stringify(shown.query),
      body,
      start: 'request' in wanted ? wanted.request : { reason: wanted.error.code },
    });
    if (settled.state !== 'refused') {
      return { deliveryId: id, runId: settled.runId, duplicate: settled.state === 'duplicate' };
    }
    if ('error' in wanted) throw wanted.error;
    if (!settled.result) throw new Error(`Delivery ${id} was refused for no reason.`);
    const { id: runId, replayed } = accepted(settled.result);
    return { deliveryId: id, runId, duplicate: replayed };
  }

  /** The run to ask for. What is wrong with the asking is kept: the delivery is stored all the same. */
  async #wanted(delivery: Delivery, event: JsonObject): Promise<Wanted> {
    const { hook, by, source } = delivery;
    const { workspaceId, hookId, nodeId, version } = hook;
    try {
      const request = await this.runs.requestOf(version, {
        workspaceId,
        workflowId: version.workflowId,
        triggerType: 'trigger.webhook',
        triggerNode: nodeId,
        startedBy: source === 'call' || by === null ? `hook:${hookId}` : by,
        input: event,
        key: null,
        priority: null,
      });
      if (isTooLarge(request.input)) return { error: tooLarge() };
      return { request: { ...request, idempotency: await this.#keyOf(delivery, event) } };
    } catch (error) {
      if (!(error instanceof AppError) || isOutage(error)) throw error;
      return { error };
    }
  }

  async #keyOf({ hook, key, shown, body }: Delivery, event: JsonObject): Promise<StartIdempotency | null> {
    if (key !== 'dedupe') return key;
    const { workspaceId, hookId, settings, version } = hook;
    const { workflowId, number } = version;
    return dedupeKey(settings, {
      hookId,
      event,
      headers: shown.headers,
      body,
      run: { workspaceId, workflowId, version: number },
      at: this.clock.now(),
    });
  }
}

/** As the output of the trigger it would end its run: a binary body grows by a third, control characters sixfold. */
function isTooLarge(input: string): boolean {
  // A character has three bytes at most: counting them is left out for all but the large ones.
  return input.length * 3 > MAX_OUTPUT_BYTES && Buffer.byteLength(input) > MAX_OUTPUT_BYTES;
}

function tooLarge(): AppError {
  return new AppError(platformErrors.too_large, {
    detail: `As an event the request has more than the ${MAX_OUTPUT_BYTES} bytes that a run can begin with.`,
    meta: { maxBytes: MAX_OUTPUT_BYTES },
  });
}
