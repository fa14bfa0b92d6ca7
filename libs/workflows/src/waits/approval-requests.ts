import { Injectable } from '@nestjs/common';
import { Db, Ids } from '#platform';
import type { JsonValue } from '../definition/json';
import type { FormField } from './approval-form';
import { expireApproval, requestApproval } from './approvals.sql';

/** What a run asks of people. */
export interface ApprovalRequest {
  readonly workspaceId: string;
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
  readonly title: string;
  readonly message: string;
  readonly roles: readonly string[];
  readonly userIds: readonly string[];
  readonly quorum: number;
  readonly selfApproval: boolean;
  readonly form: readonly FormField[];
  readonly deadlineAt: Date | null;
}

export type ApprovalOutcome = 'approved' | 'rejected';

/** Whom a node of a run asks: writes the question down, and says how it ended when nobody answered in time. */
@Injectable()
export class ApprovalRequests {
  constructor(
    private readonly db: Db,
    private readonly ids: Ids,
  ) {}

  /** Asks. Asked again after a crash, the question is there already and stays as it is. */
  async request(request: ApprovalRequest): Promise<{ readonly approvalId: string }> {
    const { workspaceId, runId, nodeId, iteration } = request;
    const cellId = await this.db.cellOf(workspaceId);
    const [asked] = await this.db.execute(
      cellId,
      requestApproval,
      this.ids.next(),
      workspaceId,
      runId,
      nodeId,
      iteration,
      JSON.stringify({
        title: request.title,
        message: request.message,
        roles: request.roles,
        userIds: request.userIds,
        quorum: request.quorum,
        selfApproval: request.selfApproval,
        form: request.form,
      }),
      request.deadlineAt,
    );
    if (!asked) throw new Error(`The approval of ${runId} ${nodeId} could not be asked for.`);
    return asked;
  }

  /** The deadline has passed: the default holds, unless people came to an end in that very moment. */
  async expire(
    workspaceId: string,
    approvalId: string,
    byDefault: ApprovalOutcome,
  ): Promise<{ readonly outcome: ApprovalOutcome; readonly votes: JsonValue }> {
    const cellId = await this.db.cellOf(workspaceId);
    const [ended] = await this.db.execute(cellId, expireApproval, workspaceId, approvalId, byDefault);
    return ended ?? { outcome: byDefault, votes: [] };
  }
}
