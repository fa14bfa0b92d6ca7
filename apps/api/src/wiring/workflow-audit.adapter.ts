import { Injectable } from '@nestjs/common';
import type { Tx } from '#platform';
import { type AuditedAction, WorkflowAudit } from '#workflows';
import { actorOf, AuditLog } from '#workspaces';

/** What is done to workflows is written in the workspace's audit log. */
@Injectable()
export class WorkflowAuditAdapter extends WorkflowAudit {
  constructor(private readonly log: AuditLog) {
    super();
  }

  record(tx: Tx, { actor, targetId, ...entry }: AuditedAction): Promise<void> {
    return this.log.record(tx, {
      ...entry,
      origin: { actor: actorOf(actor), ip: null, userAgent: null },
      target: { kind: 'workflow', id: targetId },
    });
  }
}
