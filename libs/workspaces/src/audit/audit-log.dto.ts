import { z } from 'zod';
import type { AuditEntryEntity } from './audit-entry.entity';

/** Where a page of the log went on from. */
export const auditLogCursor = z.strictObject({ id: z.uuid() });

const change = z.record(z.string(), z.unknown()).nullable();

/** One line of the audit log. `before` and `after` show what changed; the system has no id. */
export const auditEntryView = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    actor: z.object({ kind: z.enum(['user', 'api_key', 'system']), id: z.uuid().nullable() }),
    action: z.string(),
    target: z.object({ kind: z.string(), id: z.string() }),
    before: change,
    after: change,
    reason: z.string().nullable(),
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
  })
  .meta({ id: 'AuditEntryView' });

export interface AuditEntryView {
  readonly id: string;
  readonly at: string;
  readonly actor: { readonly kind: string; readonly id: string | null };
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string };
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly reason: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export function toAuditEntryView(entry: AuditEntryEntity): AuditEntryView {
  return {
    id: entry.id,
    at: entry.at.toISOString(),
    actor: { kind: entry.actorKind, id: entry.actorId },
    action: entry.action,
    target: { kind: entry.targetKind, id: entry.targetId },
    before: entry.before,
    after: entry.after,
    reason: entry.reason,
    ip: entry.ip,
    userAgent: entry.userAgent,
  };
}
