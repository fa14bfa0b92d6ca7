import { z } from 'zod';
import type { DeletedWorkspaceRow } from './deletion.sql';

export const deletedWorkspaceIdParam = z.uuid();

/** Where a page of deleted workspaces went on from. */
export const deletedWorkspacesCursor = z.strictObject({ id: z.uuid() });

/** A workspace that is deleted, and will be gone for good from `purgeAt` on. */
export const deletedWorkspaceView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    slug: z.string(),
    deletedAt: z.iso.datetime(),
    purgeAt: z.iso.datetime(),
  })
  .meta({ id: 'DeletedWorkspaceView' });

export interface DeletedWorkspaceView {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly deletedAt: string;
  readonly purgeAt: string;
}

export function toDeletedWorkspaceView(row: DeletedWorkspaceRow): DeletedWorkspaceView {
  return { ...row, deletedAt: row.deletedAt.toISOString(), purgeAt: row.purgeAt.toISOString() };
}
