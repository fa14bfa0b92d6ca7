import { Injectable } from '@nestjs/common';
import {
  type Access,
  AppError,
  type Client,
  Db,
  type ExpectedRevision,
  Hints,
  Idempotency,
  type IdempotencyKey,
  Ids,
  onViolation,
  type Page,
  pageOf,
  type Principal,
  principalKey,
  staleRevision,
  type Tx,
} from '#platform';
import type { WorkflowDefinition } from '../definition/schema';
import { workflowErrors } from '../errors';
import { WorkflowArchived, WorkflowResumed } from '../events';
import { NodeKindRegistry } from '../nodes/registry';
import { type AuthoringLimits, WorkflowAudit, WorkflowLimits } from '../ports';
import { triggerManualNode } from '../nodes/trigger-manual.node';
import { ScheduleSync } from '../triggers/schedules/schedule-sync.service';
import { HookUrls } from '../triggers/hooks/hook-token';
import { acceptedDraft } from './definition.dto';
import { existing, live } from './existing';
import { workflowLimitReached } from './plan-limits';
import { isWebhook, triggersOf } from './trigger-nodes';
import { WorkflowHooksRepository } from './workflow-hooks.repository';
import type { WorkflowVersionEntity } from './workflow-version.entity';
import { WorkflowVersionsRepository } from './workflow-versions.repository';
import type { WorkflowEntity } from './workflow.entity';
import {
  archiveWorkflow,
  countWorkflowsOf,
  insertWorkflow,
  lockWorkflowsOf,
  pauseWorkflow,
  replaceDraft,
  resumeWorkflow,
} from './workflow.sql';
import {
  toWorkflowSummary,
  toWorkflowView,
  type TriggerView,
  type WorkflowSummary,
  type WorkflowView,
} from './workflows.dto';
import { WorkflowsRepository } from './workflows.repository';

/** Who asks, in which workspace, and from where. */
export interface Caller {
  readonly access: Access;
  readonly principal: Principal;
  readonly client: Client;
}

/** A workflow somebody wants. Without a definition its draft is a manual trigger. */
export interface WantedWorkflow {
  readonly name: string;
  readonly definition?: unknown;
}

/** A draft somebody wants to save, and the revision it was made from. */
export interface WantedDraft {
  readonly definition: unknown;
  readonly expected: ExpectedRevision;
}

/** Authoring: workflows and their drafts. Publishing is `Publishing`. */
@Injectable()
export class Workflows {
  constructor(
    private readonly db: Db,
    private readonly ids: Ids,
    private readonly hints: Hints,
    private readonly idempotency: Idempotency,
    private readonly kinds: NodeKindRegistry,
    private readonly limits: WorkflowLimits,
    private readonly audit: WorkflowAudit,
    private readonly hookUrls: HookUrls,
    private readonly workflows: WorkflowsRepository,
    private readonly versions: WorkflowVersionsRepository,
    private readonly hooks: WorkflowHooksRepository,
    private readonly schedules: ScheduleSync,
  ) {}

  /** Creates a workflow. Throws request.invalid for a draft of the wrong shape, workflow.name_taken, workflow.limit_reached. */
  async create(
    { access, principal }: Caller,
    { name, definition }: WantedWorkflow,
    key: IdempotencyKey | null,
  ): Promise<WorkflowView> {
    const { workspaceId } = access;
    const draft = definition === undefined ? startingDraft() : acceptedDraft(definition);
    // Asked before the transaction: the answer may take a connection of its own.
    const limits = await this.limits.of(workspaceId);
    const [id, createdBy] = [this.ids.next(), principalKey(principal)];
    const text = JSON.stringify(draft);
    return this.db.tenant(workspaceId, (tx) =>
      // The answer is stored beside the key; a workflow that was never published has no webhook URL to give away.
      this.idempotency.once(tx, key, async () => {
        await this.#reserve(tx, workspaceId, limits);
        await onViolation(nameTaken(name), () =>
          tx.query(insertWorkflow, id, workspaceId, name, text, createdBy),
        );
        return this.#view(tx, access, existing(await this.workflows.find(tx, workspaceId, id)));
      }),
    );
  }

  /** The workflows of a workspace without their graphs, newest first. */
  async list(
    workspaceId: string,
    page: { readonly state: 'live' | 'archived'; readonly beforeId: string | null; readonly limit: number },
  ): Promise<Page<WorkflowSummary>> {
    return this.db.tenant(workspaceId, async (tx) => {
      const rows = await this.workflows.list(tx, workspaceId, { ...page, limit: page.limit + 1 });
      const found = pageOf(rows, page.limit, ({ id }) => ({ id }));
      const versionIds = found.data.flatMap(({ publishedVersionId }) => publishedVersionId ?? []);
      const versions = await this.versions.findRows(tx, workspaceId, versionIds);
      const byId = new Map(versions.map((version) => [version.id, version]));
      const published = (id: string | null) => (id === null ? null : (byId.get(id) ?? null));
      return {
        ...found,
        data: found.data.map((row) => toWorkflowSummary(row, published(row.publishedVersionId))),
      };
    });
  }

  /** One workflow. Throws workflow.not_found. */
  get(access: Access, workflowId: string): Promise<WorkflowView> {
    return this.db.tenant(access.workspaceId, async (tx) =>
      this.#view(tx, access, existing(await this.workflows.find(tx, access.workspaceId, workflowId))),
    );
  }

  /** Gives a workflow another name, or leaves it as it is without one. Throws workflow.not_found, workflow.name_taken. */
  rename(access: Access, workflowId: string, name: string | undefined): Promise<WorkflowView> {
    const { workspaceId } = access;
    return this.db.tenant(workspaceId, async (tx) => {
      if (name !== undefined) {
        await onViolation(nameTaken(name), () =>
          this.workflows.rename(tx, workspaceId, { id: workflowId, name }),
        );
      }
      return this.#view(tx, access, live(await this.workflows.find(tx, workspaceId, workflowId)));
    });
  }

  /**
   * Replaces the draft if nobody else did since `expected`. Throws request.invalid, workflow.not_found, and
   * request.precondition_failed with the current revision.
   */
  saveDraft(
    access: Access,
    workflowId: string,
    { definition, expected }: WantedDraft,
  ): Promise<WorkflowView> {
    const { workspaceId } = access;
    const draft = JSON.stringify(acceptedDraft(definition));
    const revision = expected === 'any' ? null : expected;
    return this.db.tenant(workspaceId, async (tx) => {
      const [saved] = await tx.query(replaceDraft, workspaceId, workflowId, draft, revision);
      const workflow = live(await this.workflows.find(tx, workspaceId, workflowId));
      if (!saved) throw staleRevision(expected, workflow.draftRevision);
      return this.#view(tx, access, workflow);
    });
  }

  /** Takes a workflow out of service: it starts no more runs and frees its name. Archiving twice is archiving once. */
  archive({ access, principal, client }: Caller, workflowId: string): Promise<WorkflowView> {
    const { workspaceId } = access;
    return this.db.tenant(workspaceId, async (tx) => {
      const [archived] = await tx.query(archiveWorkflow, workspaceId, workflowId);
      const workflow = existing(await this.workflows.find(tx, workspaceId, workflowId));
      if (archived) {
        await this.schedules.retire(tx, workspaceId, workflowId);
        await this.audit.record(tx, {
          workspaceId,
          actor: principal,
          client,
          action: 'workflow.archived',
          targetId: workflowId,
          after: { name: workflow.name },
        });
        this.hints.afterCommit(tx, WorkflowArchived, { workspaceId, workflowId });
      }
      return this.#view(tx, access, workflow);
    });
  }

  /**
   * Keeps back every run of a workflow that has not begun or waits; those under way go on to their end or next wait.
   * Starts are accepted. Pausing twice is pausing once. Throws workflow.not_found.
   */
  pause({ access, principal, client }: Caller, workflowId: string): Promise<WorkflowView> {
    const { workspaceId } = access;
    return this.db.tenant(workspaceId, async (tx) => {
      const [paused] = await tx.query(pauseWorkflow, workspaceId, workflowId, principalKey(principal));
      const workflow = live(await this.workflows.find(tx, workspaceId, workflowId));
      if (paused) {
        const after = { name: workflow.name };
        const action = 'workflow.paused';
        await this.audit.record(tx, {
          workspaceId,
          actor: principal,
          client,
          action,
          targetId: workflowId,
          after,
        });
      }
      return this.#view(tx, access, workflow);
    });
  }

  /** Lets the runs of a paused workflow go on, in their order. Throws workflow.not_found. */
  resume({ access, principal, client }: Caller, workflowId: string): Promise<WorkflowView> {
    const { workspaceId } = access;
    return this.db.tenant(workspaceId, async (tx) => {
      const [resumed] = await tx.query(resumeWorkflow, workspaceId, workflowId);
      const workflow = existing(await this.workflows.find(tx, workspaceId, workflowId));
      if (resumed) {
        const after = { name: workflow.name };
        const action = 'workflow.resumed';
        await this.audit.record(tx, {
          workspaceId,
          actor: principal,
          client,
          action,
          targetId: workflowId,
          after,
        });
        this.hints.afterCommit(tx, WorkflowResumed, { workspaceId, workflowId });
      }
      return this.#view(tx, access, workflow);
    });
  }

  /**
   * Makes room for one more workflow. Counting and inserting are two steps, so creations take turns: without it two of
   * them would each count the same free place. An unlimited plan needs no turns.
   */
  async #reserve(tx: Tx, workspaceId: string, limits: AuthoringLimits): Promise<void> {
    if (limits.workflows === null) return;
    await tx.query(lockWorkflowsOf, workspaceId);
    const [counted] = await tx.query(countWorkflowsOf, workspaceId);
    if (counted === undefined || counted.count >= limits.workflows) throw workflowLimitReached(limits);
  }

  async #view(tx: Tx, access: Access, workflow: WorkflowEntity): Promise<WorkflowView> {
    const { publishedVersionId } = workflow;
    const version =
      publishedVersionId === null
        ? null
        : await this.versions.find(tx, access.workspaceId, publishedVersionId);
    const isStartable = version !== null && workflow.archivedAt === null;
    return toWorkflowView(workflow, version, isStartable ? await this.#triggers(tx, access, version) : []);
  }

  async #triggers(tx: Tx, access: Access, version: WorkflowVersionEntity): Promise<readonly TriggerView[]> {
    const triggers = triggersOf(version.definition, this.kinds);
    if (!access.permissions.has('hook:read') || !triggers.some(isWebhook)) return triggers;
    const { workspaceId } = access;
    const hooks = await this.hooks.listOf(tx, workspaceId, version.workflowId);
    return triggers.map((trigger) => {
      const hook = isWebhook(trigger) ? hooks.find(({ nodeId }) => nodeId === trigger.nodeId) : undefined;
      if (hook === undefined) return trigger;
      const { id: hookId, generation } = hook;
      return { ...trigger, hookUrl: this.hookUrls.urlOf({ workspaceId, hookId, generation }) };
    });
  }
}

/** Something to start with: it can be published as it is. */
function startingDraft(): WorkflowDefinition {
  return { nodes: [{ id: 'start', type: triggerManualNode.type, params: {}, join: 'all' }], edges: [] };
}

function nameTaken(name: string): Readonly<Record<string, () => AppError>> {
  const message = `Another workflow is named "${name}", in these or other letters. Choose another name, or archive that one.`;
  return {
    workflows_name_key: () =>
      new AppError(workflowErrors.name_taken, {
        detail: message,
        problems: [{ pointer: '/name', code: 'name_taken', message }],
      }),
  };
}
