import { Injectable } from '@nestjs/common';
import {
  AppError,
  Clock,
  Db,
  Ids,
  type IdempotencyKey,
  type Page,
  pageOf,
  type Principal,
  principalKey,
  sha256,
} from '#platform';
import { hookErrors } from '../../errors';
import { type Accepted, Deliveries } from './deliveries.service';
import {
  type DeliveriesQuery,
  type DeliverySummary,
  type DeliveryView,
  type TestRequest,
  toDeliverySummary,
  toDeliveryView,
} from './deliveries.dto';
import { Doorkeeper } from './doorkeeper.service';
import { findDelivery, type FullDelivery, listDeliveries } from './hook-deliveries.sql';
import { shownRequest } from './hook-event';
import { HookSecrets } from './hook-secrets.service';
import { type LiveHook, LiveHooks, noSuchHook } from './live-hooks.service';
import { WorkflowHooksRepository } from '../../catalog/workflow-hooks.repository';
import { authorizationOf } from './verification/credentials';
import { signedHeaders } from './verification/sign';

/** Which hook, in whose workspace. */
export interface HookPlace {
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly hookId: string;
}

/** The inbox as members see it: what came, what became of it, and once more from the start. */
@Injectable()
export class InboxReader {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly rows: WorkflowHooksRepository,
    private readonly live: LiveHooks,
    private readonly secrets: HookSecrets,
    private readonly doorkeeper: Doorkeeper,
    private readonly deliveries: Deliveries,
  ) {}

  /** A page of a hook's deliveries, the newest first. */
  async list(
    { workspaceId, workflowId, hookId }: HookPlace,
    { state, limit }: DeliveriesQuery,
    beforeId: string | null,
  ): Promise<Page<DeliverySummary>> {
    const rows = await this.db.tenant(workspaceId, async (tx) => {
      const hook = await this.rows.find(tx, workspaceId, hookId);
      if (hook?.workflowId !== workflowId) throw noSuchHook();
      return tx.query(listDeliveries, workspaceId, hookId, state ?? null, beforeId, limit + 1);
    });
    const page = pageOf(rows, limit, ({ id }) => ({ id }));
    return { ...page, data: page.data.map(toDeliverySummary) };
  }

  /** One delivery with its payload, masked. */
  async get(place: HookPlace, deliveryId: string): Promise<DeliveryView> {
    return toDeliveryView(await this.#find(place, deliveryId));
  }

  /** Starts a run with the event of an earlier delivery, whatever became of that: also of one that was refused. */
  async replay(
    place: HookPlace,
    deliveryId: string,
    { principal, key }: { readonly principal: Principal; readonly key: IdempotencyKey | null },
  ): Promise<Accepted> {
    const delivery = await this.#find(place, deliveryId);
    if (delivery.state === 'rejected') {
      throw new AppError(hookErrors.not_replayable, {
        detail: 'The delivery was rejected, so nothing of it was kept that a run could begin with.',
      });
    }
    const hook = await this.live.byId(place.workspaceId, place.workflowId, place.hookId);
    const { headers, query, method, body } = delivery;
    return this.deliveries.accept({
      hook,
      shown: { headers, query },
      method,
      body: body ?? Buffer.alloc(0),
      signature: null,
      source: 'replay',
      replayOf: deliveryId,
      by: principalKey(principal),
      key: key && {
        key: `hook-replay:${deliveryId}:${sha256(key.key).toString('hex')}`,
        requestHashHex: sha256(deliveryId).toString('hex'),
      },
    });
  }

  /** Calls a hook as its sender would, signed with its secrets, past the same checks. Each test has a run of its own. */
  async test(place: HookPlace, request: TestRequest, principal: Principal): Promise<Accepted> {
    const hook = await this.live.byId(place.workspaceId, place.workflowId, place.hookId);
    const { body, type } = bodyOf(request);
    const headers = {
      'content-type': type,
      'user-agent': 'Millrace test',
      ...(await this.#proofs(hook, body)),
    };
    const call = { method: 'POST', headers, query: {}, body };
    await this.doorkeeper.letIn(hook, call);
    return this.deliveries.accept({
      hook,
      shown: shownRequest(call),
      method: call.method,
      body,
      // Whoever tries twice wants two runs.
      signature: null,
      key: null,
      source: 'test',
      replayOf: null,
      by: principalKey(principal),
    });
  }

  /** What a sender who knows the secrets sends along. */
  async #proofs({ workspaceId, hookId, settings }: LiveHook, body: Buffer): Promise<Record<string, string>> {
    const { auth, verification } = settings;
    const known = await this.secrets.of(workspaceId, hookId);
    const secret = (kind: Parameters<typeof HookSecrets.valid>[1]): string => {
      const [value] = HookSecrets.valid(known, kind, this.clock.now());
      if (value !== undefined) return value;
      throw new AppError(hookErrors.secret_missing, {
        detail: `The webhook asks its callers for a secret "${kind}" that is not set. Set it first.`,
      });
    };
    const seconds = Math.floor(this.clock.now().getTime() / 1_000);
    return {
      ...(auth && {
        authorization: authorizationOf(auth, secret(auth.scheme === 'basic' ? 'password' : 'bearer')),
      }),
      ...(verification &&
        signedHeaders(verification, { secret: secret('signing'), body, id: this.ids.next(), seconds })),
    };
  }

  async #find({ workspaceId, workflowId, hookId }: HookPlace, deliveryId: string): Promise<FullDelivery> {
    const [found] = await this.db.tenant(workspaceId, (tx) =>
      tx.query(findDelivery, workspaceId, deliveryId),
    );
    if (found?.hookId === hookId && found.workflowId === workflowId) return found;
    throw new AppError(hookErrors.delivery_not_found, { detail: 'There is no such delivery.' });
  }
}

function bodyOf({ body, contentType }: TestRequest): { readonly body: Buffer; readonly type: string } {
  if (typeof body === 'string') return { body: Buffer.from(body), type: contentType ?? 'text/plain' };
  const text = body === undefined ? '' : JSON.stringify(body);
  return { body: Buffer.from(text), type: contentType ?? 'application/json' };
}
