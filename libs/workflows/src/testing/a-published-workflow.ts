import { randomUUID } from 'node:crypto';
import type { TestDb } from '#platform/testing';
import type { JsonValue } from '../definition/json';
import { parseDraft } from '../definition/validate';

/** A workflow with one published version, written straight into the tables. */
export interface PublishedWorkflow {
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly versionId: string;
}

/** Publishes a definition in a (new, unless given) workspace of a cell. */
export async function aPublishedWorkflow(
  testDb: TestDb,
  definition: JsonValue,
  {
    cellId = 'cell_1',
    workspaceId = randomUUID(),
  }: { readonly cellId?: string; readonly workspaceId?: string } = {},
): Promise<PublishedWorkflow> {
  const workflowId = randomUUID();
  const versionId = randomUUID();
  const parsed = parseDraft(definition);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const text = JSON.stringify(parsed.definition);
  const run = (sql: string, params: readonly unknown[]) => testDb.sql(sql, params, cellId);
  await run('insert into tenants (workspace_id) values ($1) on conflict do nothing', [workspaceId]);
  await run(
    'insert into workspace_directory (workspace_id, cell_id) values ($1, $2) on conflict do nothing',
    [workspaceId, cellId],
  );
  await run(
    `insert into workflows (id, workspace_id, name, draft, created_by) values ($1, $2, $3, $4, 'user:test')`,
    [workflowId, workspaceId, `workflow ${workflowId}`, text],
  );
  await run(
    `insert into workflow_versions (id, workspace_id, workflow_id, number, definition, published_by)
     values ($1, $2, $3, 1, $4, 'user:test')`,
    [versionId, workspaceId, workflowId, text],
  );
  await run('update workflows set published_version_id = $2 where id = $1', [workflowId, versionId]);
  return { workspaceId, workflowId, versionId };
}
