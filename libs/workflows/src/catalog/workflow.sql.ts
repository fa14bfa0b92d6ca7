import { statement } from '#platform';
import type { WorkflowDefinition } from '../definition/schema';

/** Half of the key of the advisory lock below, so that no other use of such locks meets it. */
const WORKFLOWS_OF_WORKSPACE = 0x77666c; // "wfl"

/**
 * Purpose: lets the transactions that add workflows to one workspace take turns until they end, so that a count of them
 * holds. There is no row that a tenant may lock for it: `tenants` can only be read. Two workspaces whose ids hash alike
 * wait for each other needlessly, nothing worse. Locks: an advisory one. Rows: none.
 */
export const lockWorkflowsOf = statement<[workspaceId: string], unknown>(
  'lock-workflows-of-workspace',
  `select pg_advisory_xact_lock(${WORKFLOWS_OF_WORKSPACE}, hashtext($1::text))`,
);

/**
 * Purpose: how many workflows count against the plan. It must be a statement of its own, after the lock: a statement
 * that both locks and counts would count what it saw before it waited. Locks: none. Index: workflows_name_key, which
 * holds just these. Rows: one.
 */
export const countWorkflowsOf = statement<[workspaceId: string], { readonly count: number }>(
  'count-workflows-of-workspace',
  `select count(*)::integer as count from workflows where workspace_id = $1::uuid and archived_at is null`,
);

/**
 * Purpose: creates a workflow. Fails on workflows_name_key when a live one has the name. Locks: waits for an uncommitted
 * workflow of the same name. Index: workflows_name_key. Rows: one.
 */
export const insertWorkflow = statement<
  [id: string, workspaceId: string, name: string, draft: string, createdBy: string]
>(
  'insert-workflow',
  `insert into workflows (id, workspace_id, name, draft, created_by)
   values ($1::uuid, $2::uuid, $3::text, $4::json, $5::text)`,
);

/**
 * Purpose: replaces the draft if it is still at the revision that the author has seen; null overwrites any. Zero rows:
 * it is at another, or the workflow is missing or archived. A bigint, because a client may name any number.
 * Locks: the workflow. Index: workflows_pkey. Rows: one or none.
 */
export const replaceDraft = statement<
  [workspaceId: string, id: string, draft: string, expectedRevision: number | null],
  { readonly draftRevision: number }
>(
  'replace-workflow-draft',
  `update workflows set draft = $3::json, draft_revision = draft_revision + 1, updated_at = now()
    where workspace_id = $1::uuid and id = $2::uuid and archived_at is null
      and ($4::bigint is null or draft_revision = $4::bigint)
    returning draft_revision as "draftRevision"`,
);

/**
 * Purpose: archives a workflow once; its name is free from then on. Zero rows: it is missing or archived already.
 * Locks: the workflow. Index: workflows_pkey. Rows: one or none.
 */
export const archiveWorkflow = statement<[workspaceId: string, id: string], { readonly id: string }>(
  'archive-workflow',
  `update workflows set archived_at = now(), updated_at = now()
    where workspace_id = $1::uuid and id = $2::uuid and archived_at is null
    returning id`,
);

/**
 * Purpose: pauses a workflow once: from the commit on no claim begins a run of it. Zero rows: it is missing, archived or
 * paused already. Locks: the workflow. Index: workflows_pkey. Rows: one or none.
 */
export const pauseWorkflow = statement<
  [workspaceId: string, id: string, pausedBy: string],
  { readonly id: string }
>(
  'pause-workflow',
  `update workflows set paused_at = now(), paused_by = $3::text, updated_at = now()
    where workspace_id = $1::uuid and id = $2::uuid and paused_at is null and archived_at is null
    returning id`,
);

/**
 * Purpose: lets a workflow go on, archived or not: its runs must be able to end. Zero rows: it is missing or not paused.
 * Locks: the workflow. Index: workflows_pkey. Rows: one or none.
 */
export const resumeWorkflow = statement<[workspaceId: string, id: string], { readonly id: string }>(
  'resume-workflow',
  `update workflows set paused_at = null, paused_by = null, updated_at = now()
    where workspace_id = $1::uuid and id = $2::uuid and paused_at is not null
    returning id`,
);

/**
 * Purpose: stores a version under the next number. The caller holds the lock of the workflow's row, which is what makes
 * numbers consecutive. Locks: the workflow's row by its foreign key. Index: workflow_versions_number_key (backwards, one
 * row). Rows: one.
 */
export const insertVersion = statement<
  [
    id: string,
    workspaceId: string,
    workflowId: string,
    definition: string,
    publishedBy: string,
    secretNames: readonly string[],
  ],
  { readonly number: number; readonly publishedAt: Date }
>(
  'insert-workflow-version',
  `insert into workflow_versions (id, workspace_id, workflow_id, number, definition, published_by, secret_names)
   select $1::uuid, $2::uuid, $3::uuid, coalesce(max(number), 0) + 1, $4::json, $5::text, $6::text[]
     from workflow_versions where workspace_id = $2::uuid and workflow_id = $3::uuid
   returning number, published_at as "publishedAt"`,
);

/** Purpose: makes a version the published one. Locks: the workflow, held already. Index: workflows_pkey. Rows: one. */
export const setPublishedVersion = statement<[workspaceId: string, id: string, versionId: string]>(
  'set-published-version',
  `update workflows set published_version_id = $3::uuid, updated_at = now()
    where workspace_id = $1::uuid and id = $2::uuid`,
);

/**
 * Purpose: gives webhook nodes their hooks; a node that has one keeps it, and with it its URL. The ids of hooks already
 * there go unused. Locks: the new rows. Index: workflow_hooks_node_key. Rows: one for each new node.
 */
export const ensureHooks = statement<
  [workspaceId: string, workflowId: string, ids: readonly string[], nodeIds: readonly string[]]
>(
  'ensure-workflow-hooks',
  `insert into workflow_hooks (id, workspace_id, workflow_id, node_id)
   select u.id, $1::uuid, $2::uuid, u.node_id from unnest($3::uuid[], $4::text[]) as u (id, node_id)
   on conflict (workflow_id, node_id) do nothing`,
);

/** A version as runs need it. */
export interface StoredVersion {
  readonly versionId: string;
  readonly number: number;
  readonly definition: WorkflowDefinition;
}

/**
 * Purpose: what a workflow runs at present. Zero rows: it is missing, archived or never published. Locks: none.
 * Index: workflows_pkey, workflow_versions_pkey. Rows: one or none.
 */
export const findPublishedVersion = statement<[workspaceId: string, workflowId: string], StoredVersion>(
  'find-published-version',
  `select v.id as "versionId", v.number, v.definition
     from workflows w
     join workflow_versions v on v.workspace_id = w.workspace_id and v.id = w.published_version_id
    where w.workspace_id = $1::uuid and w.id = $2::uuid and w.archived_at is null`,
);

/** Purpose: a version of a workflow, by its id. Locks: none. Index: workflow_versions_workspace_id_id_key. Rows: one or none. */
export const findVersionOf = statement<
  [workspaceId: string, workflowId: string, versionId: string],
  StoredVersion
>(
  'find-version-of-workflow',
  `select id as "versionId", number, definition
     from workflow_versions where workspace_id = $1::uuid and workflow_id = $2::uuid and id = $3::uuid`,
);

/** Purpose: versions by their ids, of any workspace of the cell. Locks: none. Index: workflow_versions_pkey. Rows: at most those given. */
export const listVersions = statement<
  [versionIds: readonly string[]],
  StoredVersion & { readonly workflowId: string }
>(
  'list-versions',
  `select id as "versionId", workflow_id as "workflowId", number, definition
     from workflow_versions where id = any ($1::uuid[])`,
);
