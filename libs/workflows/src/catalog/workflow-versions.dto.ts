import { z } from 'zod';
import { pageSchema } from '#platform';
import type { WorkflowDefinition } from '../definition/schema';
import { definitionView } from './definition.dto';
import { type Migrated, migratedView } from './waiting-runs.dto';
import type { WorkflowVersionRow } from './workflow-versions.repository';

/** The largest integer of the column: a larger number names no version, and must not reach the database. */
export const versionNumberParam = z.coerce.number().int().min(1).max(2_147_483_647);

/** Where a page of versions went on from. */
export const versionsCursor = z.strictObject({ number: z.int().min(1).max(2_147_483_647) });

/** A version in a list: without its definition. */
const workflowVersionSummary = z
  .object({
    id: z.uuid(),
    workflowId: z.uuid(),
    number: z.int(),
    publishedBy: z.string().describe('`user:<id>` or `api_key:<id>`.'),
    publishedAt: z.iso.datetime(),
  })
  .meta({ id: 'WorkflowVersionSummary' });

export const workflowVersionView = z
  .object({ ...workflowVersionSummary.shape, definition: definitionView })
  .meta({ id: 'WorkflowVersionView' });

/** A version that was published, with what became of runs that wait. */
export const publicationView = workflowVersionView
  .extend({ waitingRuns: migratedView.optional().describe('Missing when they were to stay.') })
  .meta({ id: 'Publication' });

export const workflowVersionsPage = pageSchema(workflowVersionSummary);

export interface WorkflowVersionSummary {
  readonly id: string;
  readonly workflowId: string;
  readonly number: number;
  readonly publishedBy: string;
  readonly publishedAt: string;
}

/** A version that was published, and what became of runs that wait when they were to migrate. */
export interface Publication extends WorkflowVersionView {
  readonly waitingRuns?: Migrated;
}

export interface WorkflowVersionView extends WorkflowVersionSummary {
  readonly definition: WorkflowDefinition;
}

/** A version with nothing but what is shown of it. */
type ShownVersion = Omit<WorkflowVersionRow, 'workspaceId'>;

export function toVersionSummary(version: ShownVersion): WorkflowVersionSummary {
  return {
    id: version.id,
    workflowId: version.workflowId,
    number: version.number,
    publishedBy: version.publishedBy,
    publishedAt: version.publishedAt.toISOString(),
  };
}

export function toVersionView(
  version: ShownVersion & { readonly definition: WorkflowDefinition },
): WorkflowVersionView {
  return { ...toVersionSummary(version), definition: version.definition };
}
