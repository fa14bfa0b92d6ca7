import { Injectable } from '@nestjs/common';
import {
  type Access,
  AppError,
  type Client,
  Clock,
  Db,
  Hints,
  Ids,
  KeyRing,
  type Principal,
  principalKey,
  Random,
  type Tx,
} from '#platform';
import { PublishedWorkflows } from '../../catalog/published-workflows.service';
import type { WebhookSettings } from '../../catalog/trigger-nodes';
import { WorkflowHooksRepository } from '../../catalog/workflow-hooks.repository';
import { hookErrors } from '../../errors';
import { HookChanged } from '../../events';
import { WorkflowAudit } from '../../ports';
import { Runs } from '../../runs/runs.service';
import { HookUrls } from './hook-token';
import type { HookView, RotatedToken, SecretView, SetSecret } from './hook-settings.dto';
import {
  deleteSecrets,
  dropEarlierSecrets,
  endSecret,
  insertSecret,
  listSecrets,
  lockHook,
  placeOf,
  rotateToken,
  type SecretKind,
  type StoredSecret,
} from './hook-secrets.sql';
import { noSuchHook } from './live-hooks.service';
import { signingKey, writtenSecret } from './verification/signing-key';

const GENERATED_BYTES = 32;

/** Whose hook, and who asks. */
export interface HookAddress {
  readonly access: Access;
  readonly workflowId: string;
  readonly hookId: string;
  readonly principal: Principal;
  readonly client: Client;
}

/** Addresses and secrets of webhooks, as members see and change them. */
@Injectable()
export class HookSettings {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly random: Random,
    private readonly hints: Hints,
    private readonly keyRing: KeyRing,
    private readonly urls: HookUrls,
    private readonly rows: WorkflowHooksRepository,
    private readonly published: PublishedWorkflows,
    private readonly runs: Runs,
    private readonly audit: WorkflowAudit,
  ) {}

  /** The hooks of a workflow, those of nodes that are gone as well: put back, a node has its address again. */
  async list(workspaceId: string, workflowId: string): Promise<readonly HookView[]> {
    await this.runs.requireWorkflow(workspaceId, workflowId);
    const version = await this.published.current(workspaceId, workflowId);
    return this.db.tenant(workspaceId, async (tx) => {
      const hooks = await this.rows.listOf(tx, workspaceId, workflowId);
      const hookIds = hooks.map(({ id }) => id);
      const secrets = await tx.query(listSecrets, workspaceId, hookIds, this.clock.pinned());
      return hooks.map((hook) => {
        const { id, nodeId, generation, previousUntil } = hook;
        return {
          id,
          nodeId,
          url: this.urls.urlOf({ workspaceId, hookId: id, generation }),
          previousUrlUntil: isPast(previousUntil, this.clock.now()) ? null : iso(previousUntil),
          settings: shown(version?.webhooks.get(nodeId)),
          secrets: secretsOf(secrets.filter(({ hookId }) => hookId === id)),
        };
      });
    });
  }

  /** Gives a hook another address. The one it had works until the overlap ends; one before that ends now. */
  rotateToken(address: HookAddress, overlapSeconds: number): Promise<RotatedToken> {
    const { access, hookId } = address;
    const { workspaceId } = access;
    return this.#change(
      address,
      { action: 'workflow.hook_token_rotated', after: { overlapSeconds } },
      async (tx) => {
        const [rotated] = await tx.query(
          rotateToken,
          workspaceId,
          hookId,
          overlapSeconds,
          this.clock.pinned(),
        );
        if (!rotated) throw noSuchHook();
        const { generation, previousUntil } = rotated;
        return {
          url: this.urls.urlOf({ workspaceId, hookId, generation }),
          previousUrlUntil: overlapSeconds === 0 ? null : previousUntil.toISOString(),
        };
      },
    );
  }

  /**
   * Sets a secret, or makes one, which is shown this once. The one it replaces holds until the overlap ends. The address
   * stays as it is: it is derived from another key.
   */
  async setSecret(
    address: HookAddress,
    kind: SecretKind,
    given: { readonly value?: string | undefined; readonly overlapSeconds: number },
  ): Promise<SetSecret> {
    const { access, workflowId, hookId, principal } = address;
    const { workspaceId } = access;
    const { overlapSeconds } = given;
    const verification = await this.#verificationOf(workspaceId, workflowId, hookId);
    const made = writtenSecret(
      kind === 'signing' ? verification : undefined,
      this.random.bytes(GENERATED_BYTES),
    );
    const value = given.value ?? made;
    if (kind === 'signing' && !signingKey(verification, value)) throw notOfKind();
    const id = this.ids.next();
    const now = this.clock.pinned();
    const sealed = this.keyRing.seal(value, placeOf({ id }));
    const by = principalKey(principal);
    const secrets = await this.#change(
      address,
      { action: 'workflow.hook_secret_set', after: { kind, overlapSeconds } },
      async (tx) => {
        await tx.query(dropEarlierSecrets, workspaceId, hookId, kind);
        await tx.query(endSecret, workspaceId, hookId, kind, overlapSeconds, now);
        await tx.query(insertSecret, id, workspaceId, hookId, kind, sealed, by, now);
        return tx.query(listSecrets, workspaceId, [hookId], now);
      },
    );
    const view = secretsOf(secrets).find((secret) => secret.kind === kind);
    if (!view) throw new Error(`The secret ${id} was not stored.`);
    return { ...view, ...(given.value === undefined && { value }) };
  }

  /** Forgets a secret at once, the one before as well: calls that need it are refused from now on. */
  async deleteSecret(address: HookAddress, kind: SecretKind): Promise<void> {
    const { access, hookId } = address;
    await this.#change(address, { action: 'workflow.hook_secret_deleted', after: { kind } }, async (tx) => {
      const gone = await tx.query(deleteSecrets, access.workspaceId, hookId, kind);
      if (gone.length > 0) return;
      throw new AppError(hookErrors.secret_missing, { detail: `The webhook has no secret "${kind}".` });
    });
  }

  /** Under the hook's lock, with the line in the audit log; afterwards nobody goes by what was. */
  #change<T>(
    { access: { workspaceId }, workflowId, hookId, principal, client }: HookAddress,
    told: { readonly action: `${string}.${string}`; readonly after: Readonly<Record<string, unknown>> },
    change: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    return this.db.tenant(workspaceId, async (tx) => {
      const [hook] = await tx.query(lockHook, workspaceId, workflowId, hookId);
      if (!hook) throw noSuchHook();
      const result = await change(tx);
      const { action } = told;
      const entry = { workspaceId, actor: principal, client, action, targetId: workflowId };
      await this.audit.record(tx, { ...entry, after: { hookId, ...told.after } });
      this.hints.afterCommit(tx, HookChanged, { workspaceId, hookId });
      return result;
    });
  }

  async #verificationOf(workspaceId: string, workflowId: string, hookId: string) {
    const hook = await this.published.hookById(workspaceId, hookId);
    if (hook?.workflowId !== workflowId) throw noSuchHook();
    const version = await this.published.current(workspaceId, workflowId);
    return version?.webhooks.get(hook.nodeId)?.verification;
  }
}

function notOfKind(): AppError {
  const message =
    'The secret is not written as this sender writes its secrets: in base64, or in hexadecimal.';
  return new AppError(hookErrors.secret_invalid, {
    detail: message,
    problems: [{ pointer: '/value', code: 'secret_invalid', message }],
  });
}

function secretsOf(stored: readonly StoredSecret[]): readonly SecretView[] {
  return stored.flatMap(({ kind, setAt, setBy, validUntil }) => {
    if (validUntil !== null) return [];
    const before = stored.find((other) => other.kind === kind && other.validUntil !== null);
    return [{ kind, setAt: setAt.toISOString(), setBy, previousUntil: iso(before?.validUntil ?? null) }];
  });
}

function shown(settings: WebhookSettings | undefined): HookView['settings'] {
  if (!settings) return null;
  const { dedupeBy: _, ...params } = settings;
  return params;
}

function isPast(until: Date | null, now: Date): boolean {
  return until !== null && until <= now;
}

function iso(date: Date | null): string | null {
  return date && date.toISOString();
}
