import { z } from 'zod';
import { isJsonObject } from '../definition/json-guards';
import { longestSeconds } from '../definition/policies';
import { formFieldSchema } from '../waits/approval-form';
import type { ApprovalOutcome, ApprovalRequests } from '../waits/approval-requests';
import type { NodeKind, NodeOutcome } from './node-kind';

const paramsSchema = z.strictObject({
  title: z.string().min(1).max(200).describe('What is to be approved, in a few words.'),
  message: z.string().max(10_000).default('').describe('What people need to know to decide.'),
  approvers: z
    .strictObject({
      roles: z
        .array(z.enum(['owner', 'admin', 'member']))
        .max(3)
        .default([]),
      users: z.array(z.uuid()).max(50).default([]).describe('Ids of users.'),
    })
    .default({ roles: [], users: [] })
    .describe(
      'Who may answer: members with one of the roles, and the users. Without both every member who may decide.',
    ),
  quorum: z
    .int()
    .min(1)
    .max(50)
    .default(1)
    .describe('How many must approve. One who rejects is enough to reject.'),
  selfApproval: z.boolean().default(false).describe('Whether the person who started the run may answer.'),
  form: z
    .array(formFieldSchema)
    .max(30)
    .refine((fields) => new Set(fields.map(({ name }) => name)).size === fields.length, {
      error: 'must have a different name for each field',
    })
    .default([])
    .describe('What whoever approves fills in.'),
  deadlineSeconds: z.number().positive().max(longestSeconds).optional(),
  deadlineOutcome: z
    .enum(['approved', 'rejected'])
    .default('rejected')
    .describe('What holds when the deadline passes before people have decided.'),
});

/** What an approval is told, defaults filled in. */
export type ApprovalParams = z.infer<typeof paramsSchema>;

/**
 * Waits until people have approved or rejected. Output: `{outcome, timedOut, votes, form}`, where `form` is what the last
 * of those who approved filled in. Takes the port of the outcome.
 */
export function approvalNode(requests: ApprovalRequests): NodeKind<ApprovalParams> {
  return {
    type: 'approval',
    title: 'Approval',
    description: 'Waits until people have approved or rejected.',
    role: 'action',
    purity: 'effect',
    params: paramsSchema,
    ports: () => ['approved', 'rejected'],
    execute: async ({ params, workspaceId, runId, nodeId, iteration, now }) => {
      const { approvers, deadlineSeconds, deadlineOutcome, ...question } = params;
      const deadlineAt =
        deadlineSeconds === undefined ? null : new Date(now.getTime() + Math.round(deadlineSeconds * 1000));
      const { approvalId } = await requests.request({
        ...question,
        workspaceId,
        runId,
        nodeId,
        iteration,
        roles: approvers.roles,
        userIds: approvers.users,
        deadlineAt,
      });
      return { kind: 'wait', on: 'approval', resumeAt: deadlineAt, data: { approvalId, deadlineOutcome } };
    },
    resume: async ({ workspaceId, data, message, params }) => {
      if (message !== undefined && isJsonObject(message)) {
        return ended(message['outcome'] === 'approved' ? 'approved' : 'rejected', {
          ...message,
          timedOut: false,
        });
      }
      const approvalId = isJsonObject(data) ? data['approvalId'] : undefined;
      if (typeof approvalId !== 'string') throw new Error('An approval has lost what it asked.');
      const { outcome, votes } = await requests.expire(workspaceId, approvalId, params.deadlineOutcome);
      return ended(outcome, { outcome, votes, form: {}, timedOut: true });
    },
  };
}

function ended(
  outcome: ApprovalOutcome,
  output: Extract<NodeOutcome, { kind: 'done' }>['output'],
): NodeOutcome {
  return { kind: 'done', output, ports: [outcome] };
}
