import { Injectable } from '@nestjs/common';
import { actorOf, type Tx } from '#platform';
import { type AuditedAction, WorkflowAudit } from '#workflows';
import { AuditLog } from '#workspaces';

/** What is done to workflows is written in the workspace's audit log. */
@Injectable()
export class WorkflowAuditAdapter extends WorkflowAudit {
  constructor(private readonly log: AuditLog) {
    super();
  }

  async record(tx: Tx, { actor, client, targetId, targetKind, ...entry }: AuditedAction): Promise<void> {
    await this.log.record(tx, {
      ...entry,
      origin: { actor: actorOf(actor), ...client },
      target: { kind: targetKind ?? 'workflow', id: targetId },
    });
  }
}
