import { composeMail, type MailToSend } from '#platform';

/** To whom a mail goes. */
interface Reader {
  readonly email: string;
  readonly name: string;
}

/** The mail by which somebody may choose a new password. `link` opens the page with the form. */
export function resetMail({ email, name }: Reader, link: string): MailToSend {
  return composeMail({
    to: email,
    subject: 'Choose a new password',
    name,
    paragraphs: ['somebody, you we hope, asked for a new password for your account. Choose it here:'],
    action: { label: 'Choose a new password', link },
    note: 'The link works once, for 30 minutes. If it was not you, ignore this mail: nothing has changed.',
  });
}

/** Tells the owner of an account that its password is another one now. */
export function passwordChangedMail({ email, name }: Reader, sessionsEnded: string): MailToSend {
  return composeMail({
    to: email,
    subject: 'Your password was changed',
    name,
    paragraphs: [`the password of your account was changed. ${sessionsEnded}`],
    note: 'If it was not you, ask for a new password at once: with this mailbox you can, whoever else may know the present one.',
  });
}
