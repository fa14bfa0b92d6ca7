import { statement } from '#platform';
import type { JsonObject } from '../definition/json';
import type { FormField } from './approval-form';

/** How many calls may lead from one run to another: the search for whoever began them all ends there. */
const MAX_DEPTH = 12;

/**
 * Purpose: writes down what a run asks of people; what is there already stays. Whoever started the run, or the run that
 * called it, is noted: that person does not approve of it.
 * Index: run_approvals_node_key, workflow_runs_pkey. Rows: one.
 */
export const requestApproval = statement<
  [
    id: string,
    workspaceId: string,
    runId: string,
    nodeId: string,
    iteration: string,
    question: string,
    deadlineAt: Date | null,
  ],
  { readonly approvalId: string }
>(
  'request-approval',
  `with recursive line (id, started_by, caller, depth) as (
     select r.id, r.started_by, coalesce(r.origin -> 'parent' ->> 'runId', r.origin ->> 'startedByRun'), 0
       from workflow_runs r where r.id = $3::uuid
     union all
     select r.id, r.started_by, coalesce(r.origin -> 'parent' ->> 'runId', r.origin ->> 'startedByRun'), l.depth + 1
       from line l
      cross join lateral (select * from workflow_runs w where w.id = l.caller::uuid limit 1) r
      where l.caller is not null and l.depth < ${MAX_DEPTH}
   ), asked as (
     insert into run_approvals (id, workspace_id, run_id, node_id, iteration, title, message, roles, user_ids, quorum,
                                self_approval, form, started_by, deadline_at)
     select $1::uuid, $2::uuid, $3::uuid, $4, $5, q ->> 'title', q ->> 'message',
            array(select json_array_elements_text(q -> 'roles')),
            array(select json_array_elements_text(q -> 'userIds'))::uuid[],
            (q ->> 'quorum')::smallint, (q ->> 'selfApproval')::boolean, q -> 'form',
            (select started_by from line order by depth desc limit 1), $7::timestamptz
       from (select $6::json as q) g
     on conflict (run_id, node_id, iteration) do nothing
     returning id
   )
   select id as "approvalId" from asked
    union all
   select id from run_approvals where run_id = $3::uuid and node_id = $4 and iteration = $5
    limit 1`,
);

/** A question to people, as it is kept. */
export interface ApprovalRow {
  readonly id: string;
  readonly runId: string;
  readonly workflowId: string | null;
  readonly nodeId: string;
  readonly iteration: string;
  readonly title: string;
  readonly message: string;
  readonly roles: readonly string[];
  readonly userIds: readonly string[];
  readonly quorum: number;
  readonly startedBy: string;
  readonly selfApproval: boolean;
  readonly form: readonly FormField[];
  readonly requestedAt: Date;
  readonly deadlineAt: Date | null;
  readonly outcome: 'approved' | 'rejected' | null;
  readonly decidedAt: Date | null;
  /** Whether the run still waits for it. */
  readonly live: boolean;
  readonly votes: readonly VoteRow[];
}

export interface VoteRow {
  readonly userId: string;
  readonly vote: 'approve' | 'reject';
  readonly comment: string;
  readonly form: JsonObject;
  /** ISO 8601 instant. */
  readonly votedAt: string;
}

const VOTES = `coalesce((
  select json_agg(json_build_object('userId', v.user_id, 'vote', v.vote, 'comment', v.comment, 'form', v.form,
                                    'votedAt', to_char(v.voted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
                  order by v.voted_at, v.user_id)
    from run_approval_votes v where v.workspace_id = a.workspace_id and v.approval_id = a.id), '[]'::json)`;

const COLUMNS = `
  a.id, a.run_id as "runId", q.workflow_id as "workflowId", a.node_id as "nodeId", a.iteration, a.title, a.message,
  a.roles, a.user_ids as "userIds", a.quorum, a.started_by as "startedBy", a.self_approval as "selfApproval", a.form,
  a.requested_at as "requestedAt", a.deadline_at as "deadlineAt", a.outcome, a.decided_at as "decidedAt",
  q.run_id is not null as live, ${VOTES} as votes`;

const LIVE = `left join lateral (select run_id, workflow_id from run_queue where run_id = a.run_id limit 1) q on true`;

/**
 * Purpose: a page of what waits for an answer, newest first. Index: run_approvals_open_idx, then run_queue_pkey for each:
 * what a run that is over has left is passed over. Rows: at most $3.
 */
export const listOpenApprovals = statement<
  [workspaceId: string, beforeId: string | null, limit: number],
  ApprovalRow
>(
  'list-open-approvals',
  `select ${COLUMNS} from run_approvals a ${LIVE}
    where a.workspace_id = $1::uuid and a.outcome is null and q.run_id is not null
      and a.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    order by a.id desc limit $3`,
);

/** Purpose: one question with its answers. Index: run_approvals_workspace_id_id_key. Rows: one. */
export const findApproval = statement<[workspaceId: string, approvalId: string], ApprovalRow>(
  'find-approval',
  `select ${COLUMNS} from run_approvals a ${LIVE} where a.workspace_id = $1::uuid and a.id = $2::uuid`,
);

/**
 * Purpose: holds a question still while somebody answers: answers take turns, so that the quorum is counted once.
 * Locks: the question. Index: run_approvals_workspace_id_id_key. Rows: one.
 */
export const lockApproval = statement<[workspaceId: string, approvalId: string], { readonly id: string }>(
  'lock-approval',
  `select id from run_approvals where workspace_id = $1::uuid and id = $2::uuid for update`,
);

/** Purpose: writes an answer down. No row: this person has answered before. Index: run_approval_votes_pkey. */
export const insertVote = statement<
  [
    workspaceId: string,
    approvalId: string,
    userId: string,
    vote: string,
    comment: string,
    form: string,
    now: Date | null,
  ],
  { readonly userId: string }
>(
  'insert-approval-vote',
  `insert into run_approval_votes (workspace_id, approval_id, user_id, vote, comment, form, voted_at)
   values ($1::uuid, $2::uuid, $3::uuid, $4, $5, $6::json, coalesce($7::timestamptz, now()))
   on conflict do nothing
   returning user_id as "userId"`,
);

/** Purpose: ends a question. Called after lock-approval in the same transaction. Index: run_approvals_pkey. */
export const decideApproval = statement<[approvalId: string, outcome: string, now: Date | null]>(
  'decide-approval',
  `update run_approvals set outcome = $2, decided_at = coalesce($3::timestamptz, now())
    where id = $1::uuid and outcome is null`,
);

/**
 * Purpose: ends a question whose time has passed, and says how it ended: by default, or before by people.
 * Locks: the question. Index: run_approvals_workspace_id_id_key. Rows: one.
 */
export const expireApproval = statement<
  [workspaceId: string, approvalId: string, outcome: string],
  { readonly outcome: 'approved' | 'rejected'; readonly votes: never }
>(
  'expire-approval',
  `with ended as (
     update run_approvals a
        set outcome = coalesce(a.outcome, $3), decided_at = coalesce(a.decided_at, now())
      where a.workspace_id = $1::uuid and a.id = $2::uuid
     returning a.*
   )
   select a.outcome, ${VOTES} as votes from ended a`,
);

/** Purpose: forgets questions of runs that are long over. Index: run_approvals_requested_at_idx. Rows: at most $2. */
export const purgeApprovals = statement<[now: Date | null, limit: number], { readonly id: string }>(
  'purge-approvals',
  `delete from run_approvals where ctid = any (array(
     select a.ctid from run_approvals a
      where a.requested_at < coalesce($1::timestamptz, now()) - interval '400 days'
        and (select q.run_id from run_queue q where q.run_id = a.run_id) is null
      order by a.requested_at limit $2 for update skip locked))
   returning id`,
);
