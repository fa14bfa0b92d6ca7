import { Injectable } from '@nestjs/common';
import {
  AppError,
  Db,
  type ExpectedRevision,
  Hints,
  Ids,
  type Page,
  pageOf,
  principalKey,
  type Problem,
  staleRevision,
  type Tx,
} from '#platform';
import { secretReferences } from '../definition/check-secrets';
import type { WorkflowDefinition } from '../definition/schema';
import { validateDefinition } from '../definition/validate';
import { workflowErrors } from '../errors';
import { WorkflowPublished } from '../events';
import { NodeKindRegistry } from '../nodes/registry';
import { type AuthoringLimits, WorkflowAudit, WorkflowLimits } from '../ports';
import { holdSecrets, knownSecretNames } from '../secrets/secret.sql';
import { missingSecrets, namesOf } from '../secrets/missing-secrets';
import { placedInBody, type ValidationView } from './definition.dto';
import { existing, live } from './existing';
import { nodeLimitProblem, nodeLimitReached } from './plan-limits';
import { isWebhook, triggersOf } from './trigger-nodes';
import {
  toVersionSummary,
  toVersionView,
  type WorkflowVersionSummary,
  type WorkflowVersionView,
} from './workflow-versions.dto';
import { WorkflowVersionsRepository } from './workflow-versions.repository';
import type { WorkflowEntity } from './workflow.entity';
import { ensureHooks, insertVersion, setPublishedVersion } from './workflow.sql';
import type { Caller } from './workflows.service';
import { WorkflowsRepository } from './workflows.repository';
import { ScheduleSync } from '../triggers/schedules/schedule-sync.service';

/** What publishing did: a new version, or the one there is when the draft has not changed since. */
export interface Publication {
  readonly isNew: boolean;
  readonly version: WorkflowVersionView;
}

/** Turns drafts into immutable numbered versions. */
@Injectable()
export class Publishing {
  constructor(
    private readonly db: Db,
    private readonly ids: Ids,
    private readonly hints: Hints,
    private readonly kinds: NodeKindRegistry,
    private readonly limits: WorkflowLimits,
    private readonly audit: WorkflowAudit,
    private readonly workflows: WorkflowsRepository,
    private readonly versions: WorkflowVersionsRepository,
    private readonly schedules: ScheduleSync,
  ) {}

  /** Everything that keeps a definition from being published, the plan included. Writes nothing. */
  async validate(workspaceId: string, raw: unknown): Promise<ValidationView> {
    const result = validateDefinition(raw, this.kinds);
    if (!result.ok) return { valid: false, problems: placedInBody(result.problems) };
    const tooLarge = nodeLimitProblem(result.definition, await this.limits.of(workspaceId));
    const missing = await this.#missingSecrets(workspaceId, result.definition);
    const problems = [...(tooLarge === null ? [] : [tooLarge]), ...missing];
    return { valid: problems.length === 0, problems: placedInBody(problems) };
  }

  /**
   * Publishes the draft: version, hooks and schedules of its triggers and audit entry in one transaction. Throws
   * workflow.not_found, request.precondition_failed, workflow.invalid_definition with every problem, workflow.limit_reached.
   */
  async publish(caller: Caller, workflowId: string, expected: ExpectedRevision): Promise<Publication> {
    const { workspaceId } = caller.access;
    // Asked before the transaction: the answer may take a connection of its own.
    const limits = await this.limits.of(workspaceId);
    return this.db.tenant(workspaceId, async (tx) => {
      // From here on publications of this workflow take turns, and nobody changes the draft that is looked at.
      const workflow = live(await this.workflows.lock(tx, workspaceId, workflowId));
      if (expected !== 'any' && expected !== workflow.draftRevision) {
        throw staleRevision(expected, workflow.draftRevision);
      }
      const definition = this.#publishable(workflow.draft);
      const current = await this.#current(tx, workflow);
      if (current && isSame(current.definition, definition)) return { isNew: false, version: current };
      requireWithin(limits, definition);
      await this.#requireSecrets(tx, workspaceId, definition);
      return { isNew: true, version: await this.#store(tx, caller, { workflow, definition }) };
    });
  }

  /** The versions of a workflow without their definitions, newest first. Throws workflow.not_found. */
  list(
    workspaceId: string,
    workflowId: string,
    page: { readonly beforeNumber: number | null; readonly limit: number },
  ): Promise<Page<WorkflowVersionSummary>> {
    return this.db.tenant(workspaceId, async (tx) => {
      existing(await this.workflows.find(tx, workspaceId, workflowId));
      const rows = await this.versions.list(tx, workspaceId, { workflowId, ...page, limit: page.limit + 1 });
      const found = pageOf(rows, page.limit, ({ number }) => ({ number }));
      return { ...found, data: found.data.map(toVersionSummary) };
    });
  }

  /** One version with its definition. Throws workflow.not_found, workflow.version_not_found. */
  get(workspaceId: string, workflowId: string, number: number): Promise<WorkflowVersionView> {
    return this.db.tenant(workspaceId, async (tx) => {
      const version = await this.versions.findByNumber(tx, workspaceId, { workflowId, number });
      if (version) return toVersionView(version);
      existing(await this.workflows.find(tx, workspaceId, workflowId));
      throw new AppError(workflowErrors.version_not_found, {
        detail: `The workflow has no version ${number}. GET …/versions lists those it has.`,
      });
    });
  }

  /** The definition with its defaults filled in: a draft may have been saved before a member had one. */
  #publishable(draft: WorkflowDefinition): WorkflowDefinition {
    const result = validateDefinition(draft, this.kinds);
    if (result.ok) return result.definition;
    throw unpublishable(result.problems);
  }

  async #missingSecrets(workspaceId: string, definition: WorkflowDefinition): Promise<readonly Problem[]> {
    const references = secretReferences(definition, this.kinds);
    if (references.length === 0) return [];
    const names = namesOf(references);
    return this.db.tenant(workspaceId, async (tx) =>
      missingSecrets(references, await tx.query(knownSecretNames, workspaceId, names)),
    );
  }

  /** They are held until the version is there, so that nobody deletes one as unused meanwhile. */
  async #requireSecrets(tx: Tx, workspaceId: string, definition: WorkflowDefinition): Promise<void> {
    const references = secretReferences(definition, this.kinds);
    if (references.length === 0) return;
    const known = await tx.query(holdSecrets, workspaceId, namesOf(references));
    const problems = missingSecrets(references, known);
    if (problems.length > 0) throw unpublishable(problems);
  }

  async #current(
    tx: Tx,
    { workspaceId, publishedVersionId }: WorkflowEntity,
  ): Promise<WorkflowVersionView | null> {
    if (publishedVersionId === null) return null;
    const version = await this.versions.find(tx, workspaceId, publishedVersionId);
    return version && toVersionView(version);
  }

  async #store(
    tx: Tx,
    { access: { workspaceId }, principal, client }: Caller,
    { workflow, definition }: { readonly workflow: WorkflowEntity; readonly definition: WorkflowDefinition },
  ): Promise<WorkflowVersionView> {
    const [id, workflowId, publishedBy] = [this.ids.next(), workflow.id, principalKey(principal)];
    const text = JSON.stringify(definition);
    const secrets = namesOf(secretReferences(definition, this.kinds));
    const [stored] = await tx.query(insertVersion, id, workspaceId, workflowId, text, publishedBy, secrets);
    if (!stored) throw new Error(`Version ${id} was not stored.`);
    await tx.query(setPublishedVersion, workspaceId, workflowId, id);
    await this.#ensureHooks(tx, workflow, definition);
    await this.schedules.publish(tx, { workspaceId, workflowId, versionId: id, definition });
    await this.audit.record(tx, {
      workspaceId,
      actor: principal,
      client,
      action: 'workflow.published',
      targetId: workflowId,
      after: { name: workflow.name, versionId: id, number: stored.number },
    });
    this.hints.afterCommit(tx, WorkflowPublished, { workspaceId, workflowId });
    return toVersionView({ id, workflowId, publishedBy, definition, ...stored });
  }

  async #ensureHooks(
    tx: Tx,
    { workspaceId, id }: WorkflowEntity,
    definition: WorkflowDefinition,
  ): Promise<void> {
    const nodeIds = triggersOf(definition, this.kinds)
      .filter(isWebhook)
      .map(({ nodeId }) => nodeId);
    if (nodeIds.length === 0) return;
    const hookIds = nodeIds.map(() => this.ids.next());
    await tx.query(ensureHooks, workspaceId, id, hookIds, nodeIds);
  }
}

/** Both were parsed by the same schema, which fixes the order of members; in params the author's order counts. */
function isSame(one: WorkflowDefinition, other: WorkflowDefinition): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function unpublishable(problems: readonly Problem[]): AppError {
  const { length } = problems;
  return new AppError(workflowErrors.invalid_definition, {
    detail: `The draft has ${length === 1 ? 'a problem' : `${length} problems`}. Solve what errors lists, then publish again.`,
    problems: placedInBody(problems),
  });
}

function requireWithin(limits: AuthoringLimits, definition: WorkflowDefinition): void {
  const problem = nodeLimitProblem(definition, limits);
  if (problem !== null) throw nodeLimitReached(problem, limits);
}
