import { htmlPage } from '#platform';

/** Where the form of the page goes. */
export const SECOND_FACTOR_PATH = '/sign-in/second-factor';

/** Asks for the code of a sign-in that waits for it, in the browser; `trouble` says why it is asked again. */
export function codePage(
  waiting: { readonly challenge: string; readonly redirectTo: string },
  trouble?: string,
): string {
  return htmlPage({
    title: 'Enter your code',
    paragraphs: [
      ...(trouble === undefined ? [] : [trouble]),
      'Enter the six digits of your authenticator app, or one of your recovery codes.',
    ],
    forms: [
      {
        action: SECOND_FACTOR_PATH,
        hidden: { ...waiting },
        fields: [{ name: 'code', label: 'Code', type: 'text', autocomplete: 'one-time-code' }],
        button: 'Sign in',
      },
    ],
  });
}
