import { composeMail, type MailToSend } from '#platform';

interface Reader {
  readonly email: string;
  readonly name: string;
}

const NOTE = 'If this was not you, change your password now and ask whoever runs this installation for help.';

/** Tells that signing in asks for a code from now on. */
export function enabledMail({ email, name }: Reader): MailToSend {
  return composeMail({
    to: email,
    subject: 'Two-factor authentication is on',
    name,
    paragraphs: [
      'from now on, signing in to your account asks for a code of your authenticator app. Your other sessions have ended.',
      'Keep the recovery codes where you will find them without your phone: each lets you in once.',
    ],
    note: NOTE,
  });
}

/** Tells that a password or a provider is enough again. */
export function disabledMail({ email, name }: Reader): MailToSend {
  return composeMail({
    to: email,
    subject: 'Two-factor authentication is off',
    name,
    paragraphs: [
      'signing in to your account does not ask for a code any more. The recovery codes are worth nothing now.',
    ],
    note: NOTE,
  });
}

/** Tells that a sign-in went without the authenticator app, and how many more can. */
export function recoveryCodeUsedMail({ email, name }: Reader, left: number): MailToSend {
  return composeMail({
    to: email,
    subject: 'A recovery code was used to sign in',
    name,
    paragraphs: [
      'somebody signed in to your account with a recovery code in place of a code of your authenticator app. ' +
        (left === 0
          ? 'It was the last one: make new ones now.'
          : `${left} of them ${left === 1 ? 'is' : 'are'} left.`),
    ],
    note: NOTE,
  });
}
