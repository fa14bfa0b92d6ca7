import { Injectable } from '@nestjs/common';
import { type Access, AppError, Clock, Db, type Page, pageOf, type Principal, type Tx } from '#platform';
import type { JsonObject } from '../definition/json';
import { Engine } from '../engine/engine';
import { approvalErrors } from '../errors';
import { checkForm } from './approval-form';
import { type ApprovalView, toApproval } from './approvals.dto';
import {
  type ApprovalRow,
  decideApproval,
  findApproval,
  insertVote,
  listOpenApprovals,
  lockApproval,
} from './approvals.sql';

/** An answer to a question of a run. */
export interface Vote {
  readonly vote: 'approve' | 'reject';
  readonly comment: string;
  readonly form: JsonObject;
}

/** What runs ask of people, and what those answer. */
@Injectable()
export class Approvals {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly engine: Engine,
  ) {}

  /** What waits for an answer, newest first. */
  async list(
    workspaceId: string,
    { beforeId, limit }: { readonly beforeId: string | null; readonly limit: number },
  ): Promise<Page<ApprovalView>> {
    const rows = await this.#execute(workspaceId, (tx) =>
      tx.query(listOpenApprovals, workspaceId, beforeId, limit + 1),
    );
    const page = pageOf(rows, limit, ({ id }) => ({ id }));
    return { ...page, data: page.data.map(toApproval) };
  }

  /** One question with its answers. Throws approval.not_found. */
  async get(workspaceId: string, approvalId: string): Promise<ApprovalView> {
    const [row] = await this.#execute(workspaceId, (tx) => tx.query(findApproval, workspaceId, approvalId));
    if (!row) throw noApproval();
    return toApproval(row);
  }

  /**
   * Answers. The answer that makes the quorum, or the first that rejects, lets the run go on in the same transaction.
   * Throws approval.not_found, approval.closed, approval.not_asked, approval.own_run, approval.voted, approval.invalid_form.
   */
  async vote(
    { workspaceId, role }: Access,
    principal: Principal,
    { approvalId, vote }: { readonly approvalId: string; readonly vote: Vote },
  ): Promise<ApprovalView> {
    const cellId = await this.db.cellOf(workspaceId);
    return this.db.cell(cellId, async (tx) => {
      if ((await tx.query(lockApproval, workspaceId, approvalId)).length === 0) throw noApproval();
      const asked = await this.#find(tx, workspaceId, approvalId);
      this.#requireOpen(asked);
      const userId = requireAsked(asked, principal, role);
      const form = vote.vote === 'approve' ? filledIn(asked, vote.form) : {};
      const [kept] = await tx.query(
        insertVote,
        workspaceId,
        approvalId,
        userId,
        vote.vote,
        vote.comment,
        JSON.stringify(form),
        this.clock.pinned(),
      );
      if (!kept) throw new AppError(approvalErrors.voted, { detail: 'You have answered this already.' });
      const outcome = outcomeOf(asked, vote.vote);
      if (outcome !== null) {
        await tx.query(decideApproval, approvalId, outcome, this.clock.pinned());
        const { votes } = await this.#find(tx, workspaceId, approvalId);
        const { runId, nodeId, iteration } = asked;
        const message = { outcome, votes: votes.map((each) => ({ ...each })), form };
        await this.engine.signalIn(tx, { cellId, workspaceId }, { runId, nodeId, iteration, message });
      }
      return toApproval(await this.#find(tx, workspaceId, approvalId));
    });
  }

  #requireOpen({ outcome, live, deadlineAt }: ApprovalRow): void {
    if (outcome === null && live && (deadlineAt === null || deadlineAt > this.clock.now())) return;
    const why =
      outcome !== null
        ? `It was ${outcome} already.`
        : live
          ? 'Its deadline has passed.'
          : 'Its run is over.';
    throw new AppError(approvalErrors.closed, { detail: `Nothing can be answered here any more. ${why}` });
  }

  async #find(tx: Tx, workspaceId: string, approvalId: string): Promise<ApprovalRow> {
    const [row] = await tx.query(findApproval, workspaceId, approvalId);
    if (!row) throw noApproval();
    return row;
  }

  /** The tables are the engine's: a tenant's transaction has no part in them, so each statement names the workspace. */
  async #execute<T>(workspaceId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.db.cell(await this.db.cellOf(workspaceId), work);
  }
}

/** Whether somebody may answer; gives who it is. An API key is nobody whose word would count. */
function requireAsked(asked: ApprovalRow, principal: Principal, role: string): string {
  const { roles, userIds, startedBy, selfApproval } = asked;
  if (principal.kind !== 'user') {
    throw new AppError(approvalErrors.not_asked, { detail: 'People answer approvals; an API key can not.' });
  }
  const { userId } = principal;
  const isOpenToAll = roles.length === 0 && userIds.length === 0;
  if (!isOpenToAll && !userIds.includes(userId) && !roles.includes(role)) {
    throw new AppError(approvalErrors.not_asked, {
      detail: 'This approval asks others: neither your role nor you are among its approvers.',
      meta: { roles, users: userIds },
    });
  }
  if (startedBy === `user:${userId}` && !selfApproval) {
    throw new AppError(approvalErrors.own_run, {
      detail: 'You have started this run, so somebody else has to answer.',
    });
  }
  return userId;
}

function filledIn(asked: ApprovalRow, form: JsonObject): JsonObject {
  const checked = checkForm(asked.form, form);
  if (checked.ok) return checked.values;
  throw new AppError(approvalErrors.invalid_form, {
    detail: 'The form is not filled in as it asks for.',
    problems: checked.problems.map(({ field, message }) => ({
      pointer: `/form/${field}`,
      code: 'form',
      message,
    })),
  });
}

/** What an answer brings about, together with those before it; null when more are needed. */
function outcomeOf({ votes, quorum }: ApprovalRow, vote: Vote['vote']): 'approved' | 'rejected' | null {
  if (vote === 'reject') return 'rejected';
  const approvals = votes.filter((each) => each.vote === 'approve').length + 1;
  return approvals >= quorum ? 'approved' : null;
}

function noApproval(): AppError {
  return new AppError(approvalErrors.not_found, { detail: 'There is no such approval.' });
}
