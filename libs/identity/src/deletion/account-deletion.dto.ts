import { z } from 'zod';

const ownedWorkspace = z.object({
  id: z.uuid(),
  name: z.string(),
  otherMembers: z.number().int().describe('With others in it, it stands in the way of the deletion.'),
});

/** What deleting the account would do, and what stands in its way. */
export const deletionPreview = z
  .object({
    blocked: z.boolean().describe('True while you own a workspace with others in it.'),
    ownedWorkspaces: z.array(ownedWorkspace).describe('They are deleted with the account, and not restored.'),
    counts: z.object({
      workflows: z.number().int().describe('In the workspaces you own: deleted.'),
      joinedWorkspaces: z.number().int().describe('You leave them; what you made there stays.'),
      apiKeys: z.number().int().describe('Made by you, in any workspace: revoked.'),
      sessions: z.number().int().describe('Ended.'),
    }),
  })
  .meta({ id: 'AccountDeletionPreview' });

export type DeletionPreview = Readonly<z.output<typeof deletionPreview>>;

export const requestDeletionBody = z
  .strictObject({
    password: z.string().min(1).max(128).optional().describe('Needed when the account has one.'),
  })
  .meta({ id: 'RequestAccountDeletion' });

export const confirmDeletionBody = z
  .strictObject({ token: z.string().min(1).max(200) })
  .meta({ id: 'ConfirmAccountDeletion' });

/** A mail is on its way; nothing is deleted yet. */
export const deletionRequested = z
  .object({ mailedTo: z.email(), expiresAt: z.iso.datetime() })
  .meta({ id: 'AccountDeletionRequested' });

export type DeletionRequested = Readonly<z.output<typeof deletionRequested>>;
