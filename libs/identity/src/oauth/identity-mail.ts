import { composeMail, type MailToSend } from '#platform';

interface Reader {
  readonly email: string;
  readonly name: string;
}

const NOTE = 'If this was not you, change your password now and look at the ways to sign in to your account.';

/** Tells that an account can be entered with a provider from now on. `title` is the provider's name. */
export function linkedMail({ email, name }: Reader, title: string): MailToSend {
  return composeMail({
    to: email,
    subject: `You can sign in with ${title} now`,
    name,
    paragraphs: [`from now on, signing in with ${title} opens your account.`],
    note: NOTE,
  });
}

/** Tells that a provider does not open the account any more. */
export function unlinkedMail({ email, name }: Reader, title: string): MailToSend {
  return composeMail({
    to: email,
    subject: `Signing in with ${title} was removed`,
    name,
    paragraphs: [`signing in with ${title} does not open your account any more.`],
    note: NOTE,
  });
}
