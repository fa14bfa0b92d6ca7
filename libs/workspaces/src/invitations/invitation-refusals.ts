import { AppError, platformErrors } from '#platform';
import { workspaceErrors } from '../errors';
import type { Person } from '../ports';
import { maskedAddress } from './address';
import type { OfferRow } from './offer.sql';

/** Open invitations a workspace may have at a time. */
export const OPEN_MAX = 50;
/** Invitations a workspace may make in 24 hours. */
export const DAILY_MAX = 20;

/** The 404 of a token: says what may have happened, which is the same for every token that is not known. */
export function unknownToken(): AppError {
  return new AppError(platformErrors.not_found, {
    detail:
      'No such invitation. Copy the whole link; if there was more than one mail, only the newest of them works.',
  });
}

/** Why an invitation or a link that is known lets nobody in any more. */
export function offerOver({ state, workspaceName }: Pick<OfferRow, 'state' | 'workspaceName'>): AppError {
  const again = 'Ask for a new one.';
  switch (state) {
    case 'accepted':
      return new AppError(workspaceErrors.invitation_accepted, {
        detail: `This invitation to ${workspaceName} was accepted already, and works once. ${again}`,
      });
    case 'declined':
      return new AppError(workspaceErrors.invitation_declined, {
        detail: `This invitation to ${workspaceName} was declined. ${again}`,
      });
    case 'revoked':
      return new AppError(workspaceErrors.invitation_revoked, {
        detail: `This invitation to ${workspaceName} was taken back. ${again}`,
      });
    case 'used_up':
      return new AppError(workspaceErrors.invite_link_used_up, {
        detail: `This link to ${workspaceName} was used as often as it may be. ${again}`,
      });
    // What was open when it was read, and is not any more, has run out in between.
    case 'expired':
    case 'pending':
    case 'active':
      return new AppError(workspaceErrors.invitation_expired, {
        detail: `This invitation to ${workspaceName} has expired. ${again}`,
      });
  }
}

/** Says enough to find the right account, and not whom somebody else invited. */
export function forAnotherAddress(email: string, signedInAs: string): AppError {
  const invitedAddress = maskedAddress(email);
  return new AppError(workspaceErrors.invitation_for_another_address, {
    detail: `This invitation is for ${invitedAddress}, not for ${signedInAs}. Sign out, sign in or sign up with the address it was sent to, and open the link again; or ask for an invitation to ${signedInAs}.`,
    meta: { invitedAddress },
  });
}

export function unverified({ email }: Pick<Person, 'email'>): AppError {
  return new AppError(workspaceErrors.email_unverified, {
    detail: `Confirm first that ${email} is your address, by the link in the mail that you got when you signed up.`,
  });
}

export function domainNotAllowed(domains: readonly string[], email: string): AppError {
  return new AppError(workspaceErrors.email_domain_not_allowed, {
    detail: `This link is for addresses of ${domains.join(', ')}, not for ${email}.`,
    meta: { allowedDomains: domains },
  });
}

export function openLimit(): AppError {
  return new AppError(workspaceErrors.open_invitations_limit_reached, {
    detail: `The workspace has ${OPEN_MAX} open invitations, and can have no more. Revoke one first.`,
    meta: { limit: 'openInvitations', allowed: OPEN_MAX },
  });
}

export function dailyLimit(nextInSeconds: number | null): AppError {
  return new AppError(workspaceErrors.daily_invitations_limit_reached, {
    detail: `The workspace has made ${DAILY_MAX} invitations in 24 hours, and can make no more. Wait, or share an invite link.`,
    meta: { limit: 'dailyInvitations', allowed: DAILY_MAX },
    retryAfterSeconds: Math.max(1, nextInSeconds ?? 1),
  });
}

/** Why nothing can be done to an invitation that is over: 409, for those who manage it. */
export function notOpen(state: string): AppError {
  return new AppError(workspaceErrors.invitation_not_open, {
    detail: `The invitation is ${state}. Invite the address again instead.`,
    meta: { state },
  });
}
