import { AppError, defineErrors, platformErrors } from '#platform';

/** What can go wrong with workspaces, beside what can go wrong with any request. */
export const workspaceErrors = defineErrors('workspace', {
  owned_limit_reached: { kind: 'limit', title: 'You own as many workspaces as one person can' },
  joined_limit_reached: { kind: 'limit', title: 'You belong to as many workspaces as one person can' },
  slug_taken: { kind: 'conflict', title: 'Another workspace has this slug' },
  owner_stays: { kind: 'conflict', title: 'The owner changes by a transfer of ownership only' },
  role_not_grantable: { kind: 'forbidden', title: 'Your role cannot give or take this role' },
  not_a_member: { kind: 'conflict', title: 'This person is not a member of the workspace' },
  already_member: { kind: 'conflict', title: 'This person is a member already' },
  self_invitation: { kind: 'conflict', title: 'You cannot invite yourself' },
  open_invitations_limit_reached: { kind: 'limit', title: 'The workspace has too many open invitations' },
  daily_invitations_limit_reached: {
    kind: 'limit',
    title: 'The workspace has invited too many people today',
  },
  invitation_not_open: { kind: 'conflict', title: 'The invitation is not open any more' },
  invitation_accepted: { kind: 'gone', title: 'The invitation was accepted already' },
  invitation_declined: { kind: 'gone', title: 'The invitation was declined' },
  invitation_revoked: { kind: 'gone', title: 'The invitation was taken back' },
  invitation_expired: { kind: 'gone', title: 'The invitation has expired' },
  invite_link_used_up: { kind: 'gone', title: 'The invite link was used as often as it may be' },
  invitation_for_another_address: { kind: 'forbidden', title: 'The invitation is for another address' },
  email_unverified: { kind: 'forbidden', title: 'Your e-mail address is not verified yet' },
  email_domain_not_allowed: { kind: 'forbidden', title: 'The invite link is for other e-mail domains' },
});

/** The same for what is foreign, what is missing, and what was taken away this moment. */
export function notFound(): AppError {
  return new AppError(platformErrors.not_found, { detail: 'No such resource.' });
}
