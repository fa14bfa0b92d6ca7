import { z } from 'zod';
import { roles } from '../members/role';
import type { WorkspaceRow } from './workspace.sql';

/** A line of text for people: no control characters, no half of a surrogate pair (which no database could store). */
export const workspaceName = z
  .string()
  .trim()
  .min(1, 'A workspace needs a name')
  .max(100, 'A name has at most 100 characters')
  .refine((name) => !/[\p{Cc}\p{Cs}]/u.test(name), 'A name has no control characters');

export const newWorkspace = z.strictObject({ name: workspaceName }).meta({ id: 'NewWorkspace' });

export const workspaceChange = z.strictObject({ name: workspaceName }).meta({ id: 'WorkspaceChange' });

/** Where a page of workspaces went on from. */
export const workspacesCursor = z.strictObject({ id: z.uuid() });

/** A workspace, and what the caller is in it. */
export const workspaceView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    slug: z.string(),
    plan: z.string(),
    role: z.enum(roles),
    ownerId: z.uuid(),
    createdBy: z.uuid(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'WorkspaceView' });

export interface WorkspaceView {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly plan: string;
  readonly role: string;
  readonly ownerId: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export function toWorkspaceView(workspace: WorkspaceRow, role: string): WorkspaceView {
  return {
    id: workspace.id,
    name: workspace.name,
    slug: workspace.slug,
    plan: workspace.plan,
    role,
    ownerId: workspace.ownerId,
    createdBy: workspace.createdBy,
    createdAt: workspace.createdAt.toISOString(),
    updatedAt: workspace.updatedAt.toISOString(),
  };
}
