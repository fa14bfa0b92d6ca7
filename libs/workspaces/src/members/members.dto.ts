import { z } from 'zod';
import { pageQuery } from '#platform';
import type { MemberName } from '../ports';
import { roles } from './role';

/** Where a page of members went on from. */
export const membersCursor = z.strictObject({ userId: z.uuid() });

/** Members may be narrowed to one role. */
export const membersQuery = pageQuery.extend({ role: z.enum(roles).optional() });

export const memberIdParam = z.uuid();

/** The role a member is to have. */
export const memberChange = z
  .strictObject({
    role: z.enum(['admin', 'member', 'viewer'], {
      error:
        'One of admin, member, viewer. Ownership is handed over by POST /v1/workspaces/{workspaceId}/transfer',
    }),
  })
  .meta({ id: 'MemberChange' });

/** Why a member is removed: for the audit log, and for the mail they get. */
export const removalQuery = z.object({
  reason: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .refine((reason) => !/[\p{Cc}\p{Cs}]/u.test(reason), 'A reason has no control characters')
    .optional(),
});

export const newOwner = z.strictObject({ userId: z.uuid() }).meta({ id: 'NewOwner' });

/** A member as the members of the workspace see each other. Name and e-mail are null once the account is gone. */
export const memberView = z
  .object({
    userId: z.uuid(),
    role: z.enum(roles),
    joinedAt: z.iso.datetime(),
    name: z.string().nullable(),
    email: z.string().nullable(),
  })
  .meta({ id: 'MemberView' });

export interface MemberView {
  readonly userId: string;
  readonly role: string;
  readonly joinedAt: string;
  readonly name: string | null;
  readonly email: string | null;
}

export function toMemberView(
  member: { readonly userId: string; readonly role: string; readonly joinedAt: Date },
  names: ReadonlyMap<string, MemberName>,
): MemberView {
  const { userId, role, joinedAt } = member;
  const name = names.get(userId);
  return {
    userId,
    role,
    joinedAt: joinedAt.toISOString(),
    name: name?.name ?? null,
    email: name?.email ?? null,
  };
}
