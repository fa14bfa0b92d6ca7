import { Injectable } from '@nestjs/common';
import {
  type Access,
  AppError,
  Clock,
  Config,
  Db,
  Idempotency,
  type IdempotencyKey,
  Ids,
  type Page,
  pageOf,
  platformErrors,
  Random,
  TenantDirectory,
  type Tx,
} from '#platform';
import { AuditLog } from '../audit/audit-log.service';
import type { AuditOrigin } from '../audit/audit-origin';
import { notFound } from '../errors';
import { Memberships } from '../members/memberships.service';
import { slugOf, withSuffix } from './slug';
import {
  findPlans,
  findWorkspace,
  insertWorkspace,
  listWorkspacesOf,
  type WorkspaceRow,
} from './workspace.sql';
import { toWorkspaceView, workspaceName, type WorkspaceView } from './workspaces.dto';

/** One plain slug and four with 30 random bits each: more tries would only hide a fault. */
const SLUG_TRIES = 5;

/** A workspace that has an id and a place, and does not exist yet. */
export interface PreparedWorkspace {
  readonly workspaceId: string;
  readonly cellId: string;
}

/** What a new workspace is made of. Without an origin it is recorded as done by its owner. */
export interface NewWorkspace {
  readonly ownerId: string;
  readonly name: string;
  readonly origin?: AuditOrigin;
}

/** The plan of a workspace and the instant its monthly billing periods begin at. */
export interface WorkspacePlan {
  readonly plan: string;
  readonly anchorAt: Date;
}

/** Creates, lists and shows workspaces. `WorkspaceChanges` changes them. */
@Injectable()
export class Workspaces {
  constructor(
    private readonly db: Db,
    private readonly directory: TenantDirectory,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly random: Random,
    private readonly idempotency: Idempotency,
    private readonly memberships: Memberships,
    private readonly auditLog: AuditLog,
  ) {}

  /** Chooses id and place of a new workspace. Outside any transaction; nothing is visible before `createIn`. */
  async prepare(): Promise<PreparedWorkspace> {
    const workspaceId = this.ids.next();
    return { workspaceId, cellId: await this.directory.prepare(workspaceId) };
  }

  /**
   * Creates a prepared workspace with its owner inside a control transaction of the caller, a sign-up for example.
   * Throws request.invalid for a name that is none, workspace.owned_limit_reached and workspace.joined_limit_reached.
   */
  async createIn(tx: Tx, prepared: PreparedWorkspace, wanted: NewWorkspace): Promise<WorkspaceView> {
    const created = await this.#insert(tx, prepared.workspaceId, {
      ...wanted,
      name: acceptedName(wanted.name),
    });
    await this.memberships.addOwner(tx, created.id, { userId: wanted.ownerId, now: this.clock.pinned() });
    await this.directory.assign(tx, created.id, prepared.cellId);
    await this.auditLog.record(tx, {
      workspaceId: created.id,
      origin: wanted.origin ?? { actor: { kind: 'user', id: wanted.ownerId }, ip: null, userAgent: null },
      action: 'workspace.created',
      target: { kind: 'workspace', id: created.id },
      after: { name: created.name, slug: created.slug, plan: created.plan },
    });
    return toWorkspaceView(created, 'owner');
  }

  /** Creates a workspace, once per idempotency key. Throws what `createIn` throws. */
  async create(wanted: NewWorkspace, key: IdempotencyKey | null): Promise<WorkspaceView> {
    const prepared = await this.prepare();
    return this.db.control((tx) => this.idempotency.once(tx, key, () => this.createIn(tx, prepared, wanted)));
  }

  /** The workspaces somebody belongs to, oldest first. */
  async listOf(
    userId: string,
    page: { readonly afterId: string | null; readonly limit: number },
  ): Promise<Page<WorkspaceView>> {
    const rows = await this.db.executeControl(listWorkspacesOf, userId, page.afterId, page.limit + 1);
    const found = pageOf(rows, page.limit, ({ id }) => ({ id }));
    return { ...found, data: found.data.map((row) => toWorkspaceView(row, row.role)) };
  }

  /** One workspace. Throws request.not_found. */
  async get(access: Access): Promise<WorkspaceView> {
    const { workspaceId, role } = access;
    const [found] = await this.db.tenant(workspaceId, (tx) => tx.query(findWorkspace, workspaceId));
    if (!found) throw notFound();
    return toWorkspaceView(found, role);
  }

  /** The plans of live workspaces by id; one that does not exist is missing. For billing, through a port. */
  async plansOf(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, WorkspacePlan>> {
    const rows = await this.db.executeControl(findPlans, workspaceIds.join(','));
    return new Map(rows.map(({ workspaceId, plan, anchorAt }) => [workspaceId, { plan, anchorAt }]));
  }

  async #insert(tx: Tx, id: string, { ownerId, name }: NewWorkspace): Promise<WorkspaceRow> {
    const plain = slugOf(name);
    for (let attempt = 1; attempt <= SLUG_TRIES; attempt += 1) {
      const slug = attempt === 1 ? plain : withSuffix(plain, this.random);
      const { defaultPlan } = this.config.values;
      const [row] = await tx.query(
        insertWorkspace,
        id,
        name,
        slug,
        ownerId,
        defaultPlan,
        this.clock.pinned(),
      );
      if (row) return row;
    }
    throw new Error(`No free slug was found for "${plain}" in ${SLUG_TRIES} tries.`);
  }
}

/** Other rooms hand names in as well, so the rule of the route is asked here again. */
function acceptedName(name: string): string {
  const parsed = workspaceName.safeParse(name);
  if (parsed.success) return parsed.data;
  const message = `${parsed.error.issues.map((issue) => issue.message).join('; ')}.`;
  throw new AppError(platformErrors.invalid, {
    detail: message,
    problems: [{ pointer: '/name', code: 'workspace_name', message }],
  });
}
