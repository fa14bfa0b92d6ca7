import { z } from 'zod';
import { roles } from './role';

/** Where a page of members went on from. */
export const membersCursor = z.strictObject({ userId: z.uuid() });

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
