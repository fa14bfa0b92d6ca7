import { htmlPage } from '#platform';
import type { OAuthAttempt } from './oauth-attempts.service';
import { PROVIDER_TITLES } from './oauth-provider';

/** Before an account is made: its owner accepts the terms by setting out once more. */
export function termsPage(attempt: OAuthAttempt, termsVersion: string): string {
  const { provider, remember, invitation, redirectTo } = attempt;
  const query = new URLSearchParams({ acceptTerms: termsVersion, remember: String(remember), redirectTo });
  if (invitation !== undefined) query.set('invitation', invitation);
  return htmlPage({
    title: 'One more step to your account',
    paragraphs: [
      `There is no account for you here yet. To make one, accept the terms, version ${termsVersion}.`,
    ],
    links: [
      {
        href: `/v1/auth/oauth/${provider}?${query.toString()}`,
        label: `Accept the terms and continue with ${PROVIDER_TITLES[provider]}`,
      },
    ],
  });
}
