import { hint } from '#platform';

/** What a workflow answers to starts has changed: caches of it are stale. */
export interface WorkflowChange {
  readonly workspaceId: string;
  readonly workflowId: string;
}

/** A new version of a workflow was published. */
export const WorkflowPublished = hint<WorkflowChange>('workflow.published');

/** A workflow was archived: it starts no more runs. */
export const WorkflowArchived = hint<WorkflowChange>('workflow.archived');

/** A workflow that was paused goes on: its runs wait to be let through. */
export const WorkflowResumed = hint<WorkflowChange>('workflow.resumed');

/** What a workspace lets its workflows call has changed. */
export const EgressPolicyChanged = hint<{ readonly workspaceId: string }>('egress_policy.changed');
/** The address or the secrets of a webhook have changed. */
export const HookChanged = hint<{ readonly workspaceId: string; readonly hookId: string }>('hook.changed');
