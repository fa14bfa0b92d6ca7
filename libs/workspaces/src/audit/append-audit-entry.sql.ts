import { statement } from '#platform';

/** Purpose: one line of the audit log. Locks: none beyond the row. Index: workspace_audit_log_pkey. Rows: one. */
export const appendAuditEntry = statement<
  [
    id: string,
    workspaceId: string,
    actorKind: string,
    actorId: string | null,
    action: string,
    targetKind: string,
    targetId: string,
    before: string | null,
    after: string | null,
    reason: string | null,
    ip: string | null,
    userAgent: string | null,
    now: Date | null,
  ]
>(
  'append-audit-entry',
  `insert into workspace_audit_log
     (id, workspace_id, actor_kind, actor_id, action, target_kind, target_id, before, after, reason, ip, user_agent, at)
   values ($1::uuid, $2::uuid, $3::text, $4::uuid, $5::text, $6::text, $7::text, $8::jsonb, $9::jsonb, $10::text,
           $11::inet, $12::text, coalesce($13::timestamptz, now()))`,
);
