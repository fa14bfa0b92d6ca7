import { htmlPage } from '#platform';

/** The page behind a mailed link: only its button uses the token. */
export function confirmPage(token: string): string {
  return htmlPage({
    title: 'Confirm your e-mail address',
    paragraphs: ['One click and it is confirmed.'],
    forms: [{ action: '/verify-email', hidden: { token }, button: 'Confirm my e-mail address' }],
  });
}

/** After the button: the address is verified. */
export function confirmedPage(email: string): string {
  return htmlPage({
    title: 'Your e-mail address is confirmed',
    paragraphs: [`${email} is yours. You can close this page.`],
  });
}
