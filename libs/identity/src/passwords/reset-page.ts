import { htmlPage } from '#platform';
import { PASSWORD_RULES } from '../users/password-rules';

/** The page behind a mailed link: only its form uses the token. `complaint` says what was wrong with the last try. */
export function resetPage(token: string, complaint?: string): string {
  return htmlPage({
    title: 'Choose a new password',
    paragraphs: [
      complaint ??
        `It must have at least ${PASSWORD_RULES.minLength} characters. All your sessions will end.`,
    ],
    forms: [
      {
        action: '/reset-password',
        hidden: { token },
        fields: [{ name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password' }],
        button: 'Change my password',
      },
    ],
  });
}

/** After the form: the password is changed. */
export function resetDonePage(): string {
  return htmlPage({
    title: 'Your password is changed',
    paragraphs: ['All your sessions were ended. Sign in with the new password. You can close this page.'],
  });
}
