import { z } from 'zod';
import { pageQuery, pageSchema } from '#platform';
import type { TriggerNode } from './trigger-nodes';
import { definitionBody, type DefinitionView, definitionView } from './definition.dto';
import type { WorkflowVersionRow } from './workflow-versions.repository';
import type { WorkflowEntity } from './workflow.entity';
import type { WorkflowRow } from './workflows.repository';

/** Ids are compared as text in places, so an id in capitals becomes the one that the database gives. */
export const workflowIdParam = z.uuid().toLowerCase();

/** A line of text for people: no control characters, no half of a surrogate pair; `Ü` is one character, however typed. */
const workflowName = z
  .string()
  .trim()
  .normalize('NFC')
  .min(1, 'A workflow needs a name.')
  .max(120, 'A name has at most 120 characters.')
  .refine((name) => !/[\p{Cc}\p{Cs}]/u.test(name), 'A name has no control characters.');

export const newWorkflow = z
  .strictObject({ name: workflowName, definition: definitionBody.optional() })
  .meta({ id: 'NewWorkflow' });

export const workflowChange = z
  .strictObject({ name: workflowName.optional() })
  .meta({ id: 'WorkflowChange' });

export const draftBody = z.strictObject({ definition: definitionBody }).meta({ id: 'WorkflowDraft' });

export const workflowsQuery = pageQuery.extend({
  state: z.enum(['live', 'archived']).default('live').describe('Which workflows to list.'),
});

/** Where a page of workflows went on from. */
export const workflowsCursor = z.strictObject({ id: z.uuid() });

const publishedView = z
  .object({ versionId: z.uuid(), number: z.int(), publishedAt: z.iso.datetime() })
  .nullable()
  .describe('What runs execute; null before the first publication.');

/** A workflow in a list: without its graph. */
const workflowSummary = z
  .object({
    id: z.uuid(),
    name: z.string(),
    draftRevision: z.int(),
    published: publishedView,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    archivedAt: z.iso.datetime().nullable(),
    pausedAt: z.iso.datetime().nullable().describe('While it is paused, runs are accepted and none begins.'),
    pausedBy: z.string().nullable().describe('`user:<id>` or `api_key:<id>`.'),
  })
  .meta({ id: 'WorkflowSummary' });

export const workflowView = z
  .object({
    ...workflowSummary.shape,
    draft: definitionView,
    triggers: z
      .array(
        z.object({
          nodeId: z.string(),
          type: z.string(),
          schema: z
            .record(z.string(), z.unknown())
            .optional()
            .describe('JSON Schema of the input that a start has to give.'),
          hookUrl: z.url().optional().describe('A secret: whoever knows it starts runs. Needs hook:read.'),
        }),
      )
      .describe('What starts runs: the triggers of the published version.'),
  })
  .meta({ id: 'WorkflowView' });

export const workflowsPage = pageSchema(workflowSummary);

export interface PublishedView {
  readonly versionId: string;
  readonly number: number;
  readonly publishedAt: string;
}

export interface WorkflowSummary {
  readonly id: string;
  readonly name: string;
  readonly draftRevision: number;
  readonly published: PublishedView | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly archivedAt: string | null;
  readonly pausedAt: string | null;
  readonly pausedBy: string | null;
}

/** A trigger, with its address if it is a webhook and the caller may know it. */
export interface TriggerView extends Omit<TriggerNode, 'schema'> {
  readonly schema?: Readonly<Record<string, unknown>>;
  readonly hookUrl?: string;
}

export interface WorkflowView extends WorkflowSummary {
  readonly draft: DefinitionView;
  readonly triggers: readonly TriggerView[];
}

export function toWorkflowSummary(
  workflow: WorkflowRow,
  version: WorkflowVersionRow | null,
): WorkflowSummary {
  return {
    id: workflow.id,
    name: workflow.name,
    draftRevision: workflow.draftRevision,
    published: version && {
      versionId: version.id,
      number: version.number,
      publishedAt: version.publishedAt.toISOString(),
    },
    createdAt: workflow.createdAt.toISOString(),
    updatedAt: workflow.updatedAt.toISOString(),
    archivedAt: workflow.archivedAt?.toISOString() ?? null,
    pausedAt: workflow.pausedAt?.toISOString() ?? null,
    pausedBy: workflow.pausedBy,
  };
}

export function toWorkflowView(
  workflow: WorkflowEntity,
  version: WorkflowVersionRow | null,
  triggers: readonly TriggerView[],
): WorkflowView {
  return { ...toWorkflowSummary(workflow, version), draft: workflow.draft, triggers };
}
