import { randomUUID } from 'node:crypto';
import {
  AccessChanges,
  type Clock,
  type Db,
  Keys,
  KeyRing,
  Lifecycle,
  parseConfig,
  SystemRandom,
} from '#platform';
import { type TestDb, testServices } from '#platform/testing';
import type { JsonObject } from '../../../definition/json';
import {
  aPublishedWorkflow,
  controlRooms,
  type PublishedWorkflow,
  ScriptedEffects,
  somebody,
} from '../../../testing';
import { RecordedAudit } from '../../../catalog/testing/catalog-rooms';
import { WorkflowHooksRepository } from '../../../catalog/workflow-hooks.repository';
import { Deliveries } from '../deliveries.service';
import { Doorkeeper } from '../doorkeeper.service';
import type { HookRequest } from '../hook-event';
import { placeOf, type SecretKind } from '../hook-secrets.sql';
import { type HookAddress, HookSettings } from '../hook-settings.service';
import { InboxReader } from '../inbox-reader.service';
import { HookSecrets } from '../hook-secrets.service';
import { HookUrls } from '../hook-token';
import { type HookReply, Hooks } from '../hooks.service';
import { InboxPurger } from '../inbox-purger.loop';
import { Inboxes } from '../inboxes.service';
import { LiveHooks } from '../live-hooks.service';
import { RunAnswers } from '../run-answers.service';
import { Rejections } from '../rejections.service';

const keys = new Keys(Buffer.alloc(32, 7));
const keyRing = new KeyRing(keys, [], new SystemRandom());
const urls = new HookUrls(keys, parseConfig({ PUBLIC_URL: 'https://flows.example' }));

/** A hook with its workflow, and the token of its address. */
export interface TestHook extends PublishedWorkflow {
  readonly hookId: string;
  readonly token: string;
}

/** A published workflow that is a webhook with these params, and what comes behind it. */
export async function aHook(
  testDb: TestDb,
  params: JsonObject = {},
  behind: { readonly nodes: readonly JsonObject[]; readonly edges: readonly JsonObject[] } = {
    nodes: [],
    edges: [],
  },
): Promise<TestHook> {
  const workflow = await aPublishedWorkflow(testDb, {
    nodes: [{ id: 'hook', type: 'trigger.webhook', params }, ...behind.nodes],
    edges: behind.edges,
  });
  const { workspaceId, workflowId } = workflow;
  const hookId = randomUUID();
  await testDb.sql(
    `insert into workflow_hooks (id, workspace_id, workflow_id, node_id) values ($1, $2, $3, 'hook')`,
    [hookId, workspaceId, workflowId],
  );
  return { ...workflow, hookId, token: urls.tokenOf({ workspaceId, hookId, generation: 1 }) };
}

/** Gives a hook a secret, as another process would. */
export async function setSecret(
  { sql }: TestDb,
  { workspaceId, hookId }: Pick<TestHook, 'workspaceId' | 'hookId'>,
  {
    kind,
    value,
    validUntil = null,
  }: { readonly kind: SecretKind; readonly value: string; readonly validUntil?: Date | null },
): Promise<void> {
  const id = randomUUID();
  await sql(
    `insert into hook_secrets (id, workspace_id, hook_id, kind, sealed, set_by, valid_until)
     values ($1, $2, $3, $4, $5, 'user:test', $6)`,
    [id, workspaceId, hookId, kind, keyRing.seal(value, placeOf({ id })), validUntil],
  );
}

/** Webhooks as one process has them. */
export function hookRooms(testDb: TestDb, options: { readonly db?: Db; readonly clock?: Clock } = {}) {
  const { db = testDb.db } = options;
  const own = testServices(testDb.url);
  const services = { ...own, clock: options.clock ?? own.clock };
  const control = controlRooms(
    { ...testDb, db },
    { services: services as typeof own, effects: new ScriptedEffects() },
  );
  const { clock, ids, logger, hints, loops } = services;
  const live = new LiveHooks(urls, control.published, clock);
  const secrets = new HookSecrets(db, keyRing, clock, hints);
  const doorkeeper = new Doorkeeper(secrets, new Rejections(db, ids, clock, logger), clock);
  const inboxes = new Inboxes(db, clock, control.engine, control.gates);
  const deliveries = new Deliveries(inboxes, control.runs, ids, clock);
  const lifecycle = new Lifecycle({ clock, logger, drainMs: 0 });
  const answers = new RunAnswers(
    db,
    own.clock,
    own.notifications,
    lifecycle,
    new AccessChanges(own.notifications),
    logger,
  );
  const hooks = new Hooks(live, doorkeeper, deliveries, answers);
  const purger = new InboxPurger(db, clock, loops);
  testDb.beforeClose(own.stop);
  const callUntil = (
    hook: Pick<TestHook, 'token'>,
    request: Partial<HookRequest>,
    gone: AbortSignal,
  ): Promise<HookReply> =>
    hooks.call(
      hook.token,
      { method: 'POST', headers: {}, query: {}, body: Buffer.alloc(0), ...request },
      () => gone,
    );
  const call = (hook: Pick<TestHook, 'token'>, request: Partial<HookRequest> = {}): Promise<HookReply> =>
    callUntil(hook, request, new AbortController().signal);
  const rows = new WorkflowHooksRepository();
  const audit = new RecordedAudit();
  const settings = new HookSettings(
    db, clock, ids, own.random, hints, keyRing, urls, rows, control.published, control.runs, audit,
  ); // prettier-ignore
  const reader = new InboxReader(db, clock, ids, rows, live, secrets, doorkeeper, deliveries);
  return {
    ...control,
    audit,
    settings,
    reader,
    services,
    keyRing,
    urls,
    live,
    secrets,
    deliveries,
    hooks,
    purger,
    answers,
    lifecycle,
    call,
    callUntil,
  };
}

/** Somebody at a hook's settings. */
export function at({ workspaceId, workflowId, hookId }: TestHook): HookAddress {
  const access = { workspaceId, role: 'member', permissions: new Set(['hook:read', 'hook:manage']) };
  return { access, workflowId, hookId, principal: somebody, client: { ip: null, userAgent: null } };
}

/** The delivery and run that a call has led to. */
export async function acceptedBy(reply: Promise<HookReply>) {
  const answer = await reply;
  if (answer.kind !== 'accepted') throw new Error(`The call was answered as ${answer.kind}.`);
  return answer.delivery;
}
