import { z } from 'zod';
import { pageQuery } from '#platform';
import type { AuditEntryEntity } from './audit-entry.entity';

/** Where a page of the log went on from. */
export const auditLogCursor = z.strictObject({ id: z.uuid() });

/** What of the log is wanted: all that is given must hold. `to` is the first instant that is no longer meant. */
const auditFilter = z.object({
  actorId: z.uuid().optional(),
  action: z
    .string()
    .regex(/^[a-z_]+\.[a-z_]+$/, 'An action looks like member.left')
    .optional(),
  targetKind: z
    .string()
    .regex(/^[a-z_]+$/, 'A kind looks like api_key')
    .optional(),
  targetId: z
    .string()
    .min(1)
    .max(200)
    .refine((id) => !/[\p{Cc}\p{Cs}]/u.test(id), 'An id has no control characters')
    .optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
});

export type AuditFilter = Readonly<z.output<typeof auditFilter>>;

const ONLY_WITH_KIND = { path: ['targetId'], error: 'A target is named by its kind and its id: give both' };

function isNamedByKind({ targetKind, targetId }: AuditFilter): boolean {
  return targetId === undefined || targetKind !== undefined;
}

export const auditExportQuery = auditFilter.refine(isNamedByKind, ONLY_WITH_KIND);

export const auditLogQuery = pageQuery.extend(auditFilter.shape).refine(isNamedByKind, ONLY_WITH_KIND);

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
