import { z } from 'zod';
import { roles } from '../members/role';
import type { WorkspaceRow } from './workspace.sql';
import { settingsOf, type WorkspaceSettings, workspaceSettings, workspaceSettingsChange } from './settings';

/** A line of text for people: no control characters, no half of a surrogate pair (which no database could store). */
export const workspaceName = z
  .string()
  .trim()
  .min(1, 'A workspace needs a name')
  .max(100, 'A name has at most 100 characters')
  .refine((name) => !/[\p{Cc}\p{Cs}]/u.test(name), 'A name has no control characters');

export const newWorkspace = z.strictObject({ name: workspaceName }).meta({ id: 'NewWorkspace' });

/** As the column's CHECK has it, and long enough to be told apart. */
const workspaceSlug = z
  .string()
  .min(3, 'A slug has at least 3 characters')
  .max(64, 'A slug has at most 64 characters')
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'A slug is made of a-z and 0-9, with single hyphens between them');

/** What is not named stays as it is. */
export const workspaceChange = z
  .strictObject({
    name: workspaceName.optional(),
    slug: workspaceSlug.optional(),
    settings: workspaceSettingsChange.optional(),
  })
  .meta({ id: 'WorkspaceChange' });

/** Where a page of workspaces went on from. */
export const workspacesCursor = z.strictObject({ id: z.uuid() });

/** A workspace, and what the caller is in it. */
export const workspaceView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    slug: z.string(),
    plan: z.string(),
    settings: workspaceSettings,
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
  readonly settings: WorkspaceSettings;
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
    settings: settingsOf(workspace.settings),
    role,
    ownerId: workspace.ownerId,
    createdBy: workspace.createdBy,
    createdAt: workspace.createdAt.toISOString(),
    updatedAt: workspace.updatedAt.toISOString(),
  };
}
