import { composeMail, type MailToSend } from '#platform';

/** The mail that asks whether the account is really to go. `link` opens the page with the button. */
export function deletionMail(mail: {
  readonly to: string;
  readonly name: string;
  readonly link: string;
}): MailToSend {
  return composeMail({
    to: mail.to,
    subject: 'Delete your account?',
    name: mail.name,
    paragraphs: [
      'somebody who is signed in as you asked to delete this account. It cannot be brought back.',
      'If that was you, go on here:',
    ],
    action: { label: 'Look at what would be deleted', link: mail.link },
    note: 'The link works once, for 24 hours. If it was not you, change your password and end your other sessions.',
  });
}

/** The mail that says that the account is gone. */
export function deletedMail({ to, name }: { readonly to: string; readonly name: string }): MailToSend {
  return composeMail({
    to,
    subject: 'Your account is deleted',
    name,
    paragraphs: ['your account was deleted, as you asked. This is the last mail you get from us.'],
  });
}
