import { htmlPage } from '#platform';
import { isSameAddress, maskedAddress } from './address';
import type { OfferPreview } from './offers.dto';

/** What the page behind the link says is over, and why. */
const OVER: Readonly<Record<Exclude<OfferPreview['state'], 'pending' | 'active'>, string>> = {
  accepted: 'This invitation was accepted already.',
  declined: 'This invitation was declined.',
  revoked: 'This invitation was taken back. Ask for a new one.',
  expired: 'This invitation has expired. Ask for a new one.',
  used_up: 'This link was used as often as it may be. Ask for a new one.',
};

/** The page behind a link: only its buttons change something. `signedInAs` is the visitor's address, null for a stranger. */
export function offerPage(token: string, offer: OfferPreview, signedInAs: string | null): string {
  const title = `Join ${offer.workspaceName}`;
  const about = `${offer.invitedByName ?? 'Somebody'} invites ${whom(offer)} to the workspace "${offer.workspaceName}" with the role "${offer.role}".`;
  if (offer.state !== 'pending' && offer.state !== 'active') {
    return htmlPage({ title, paragraphs: [about, OVER[offer.state]] });
  }
  const until = `Good until ${offer.expiresAt.slice(0, 10)}.`;
  const obstacle = obstacleOf(offer, signedInAs);
  if (obstacle !== null) return htmlPage({ title, paragraphs: [about, until, obstacle] });
  const accept = { action: `/i/${token}/accept`, button: 'Accept' };
  const decline = { action: `/i/${token}/decline`, button: 'Decline' };
  return htmlPage({
    title,
    paragraphs: [about, until, `You are signed in as ${signedInAs}.`],
    forms: offer.kind === 'link' ? [accept] : [accept, decline],
  });
}

/** After a button. */
export function joinedPage(workspaceName: string): string {
  return htmlPage({
    title: `You are a member of ${workspaceName}`,
    paragraphs: ['The workspace is in your list now. You can close this page.'],
  });
}

export function declinedPage(): string {
  return htmlPage({
    title: 'Declined',
    paragraphs: ['The invitation is over; nothing else has changed. You can close this page.'],
  });
}

/** Why nothing happened, and what to do. */
export function refusedOfferPage(reason: string): string {
  return htmlPage({ title: 'This did not work', paragraphs: [reason] });
}

/** For a button that was pressed after the session had ended. */
export const SIGNED_OUT = 'You are not signed in. Sign in, then open the link again.';

function whom({ address }: OfferPreview): string {
  return address ?? 'whoever has this link';
}

/** Why the visitor gets no buttons, null for one who does. Masks are compared: the page knows no more than a visitor may. */
function obstacleOf({ kind, address }: OfferPreview, signedInAs: string | null): string | null {
  if (signedInAs === null) {
    const account = kind === 'invitation' ? ` with ${address}` : '';
    return `Sign in or sign up${account}, then open this link again.`;
  }
  if (address === null || isSameAddress(maskedAddress(signedInAs), address)) return null;
  return `You are signed in as ${signedInAs}. Sign out, sign in or sign up with ${address}, then open this link again.`;
}
