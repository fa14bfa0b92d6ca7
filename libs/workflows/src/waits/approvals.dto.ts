import { z } from 'zod';
import { pageQuery, pageSchema } from '#platform';
import { formFieldSchema } from './approval-form';
import type { ApprovalRow } from './approvals.sql';

export const approvalIdParam = z.uuid().describe('Id of the approval.');
export const approvalsQuery = pageQuery;
export const approvalsCursor = z.strictObject({ id: z.uuid() });

const voteView = z
  .object({
    userId: z.uuid(),
    vote: z.enum(['approve', 'reject']),
    comment: z.string(),
    form: z.record(z.string(), z.unknown()),
    votedAt: z.iso.datetime(),
  })
  .meta({ id: 'ApprovalVote' });

export const approvalView = z
  .object({
    id: z.uuid(),
    runId: z.uuid(),
    workflowId: z.uuid().nullable().describe('Null once the run is over.'),
    nodeId: z.string(),
    iteration: z.string(),
    title: z.string(),
    message: z.string(),
    approvers: z.object({ roles: z.array(z.string()), users: z.array(z.uuid()) }),
    quorum: z.number().int(),
    selfApproval: z.boolean(),
    startedBy: z.string(),
    form: z.array(formFieldSchema),
    state: z
      .enum(['open', 'approved', 'rejected', 'canceled'])
      .describe('`canceled`: the run was over before people had decided.'),
    votes: z.array(voteView),
    requestedAt: z.iso.datetime(),
    deadlineAt: z.iso.datetime().nullable(),
    decidedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Approval' });

export const approvalsPage = pageSchema(approvalView);

/** An answer. */
export const newVote = z
  .strictObject({
    vote: z.enum(['approve', 'reject']),
    comment: z.string().max(2_000).default(''),
    form: z
      .record(z.string(), z.json())
      .default({})
      .describe('What the form asks for; looked at when the vote is `approve`.'),
  })
  .meta({ id: 'NewApprovalVote' });

export type ApprovalView = z.output<typeof approvalView>;

export function toApproval(row: ApprovalRow): ApprovalView {
  const { roles, userIds, live, outcome, form, votes, requestedAt, deadlineAt, decidedAt, ...rest } = row;
  return {
    ...rest,
    approvers: { roles: [...roles], users: [...userIds] },
    form: [...form],
    state: outcome ?? (live ? 'open' : 'canceled'),
    votes: [...votes],
    requestedAt: requestedAt.toISOString(),
    deadlineAt: deadlineAt?.toISOString() ?? null,
    decidedAt: decidedAt?.toISOString() ?? null,
  };
}
