import { composeMail, type MailToSend } from '#platform';

/** The mail that asks someone to prove the address of their account. `link` opens the page with the button. */
export function verificationMail(mail: {
  readonly to: string;
  readonly name: string;
  readonly link: string;
}): MailToSend {
  return composeMail({
    to: mail.to,
    subject: 'Confirm your e-mail address',
    name: mail.name,
    paragraphs: ['please confirm that this e-mail address is yours:'],
    action: { label: 'Confirm my e-mail address', link: mail.link },
    note: 'The link works once, for 24 hours. If you did not sign up, ignore this mail.',
  });
}

/** The mail to an address that an account is to move to. Once confirmed, it is the one to sign in with. */
export function newAddressMail(mail: {
  readonly to: string;
  readonly name: string;
  readonly link: string;
}): MailToSend {
  return composeMail({
    to: mail.to,
    subject: 'Confirm your new e-mail address',
    name: mail.name,
    paragraphs: ['please confirm that your account is to have this e-mail address from now on:'],
    action: { label: 'Confirm my new e-mail address', link: mail.link },
    note: 'The link works once, for 24 hours. If you have not asked for it, ignore this mail: the account is not yours.',
  });
}

/** To the owner of an address that somebody else wants for their account. It says nothing of them. */
export function addressInUseMail(to: string): MailToSend {
  return composeMail({
    to,
    subject: 'Your e-mail address has an account already',
    name: null,
    paragraphs: [
      'somebody asked to move another account to this e-mail address. It has an account already, so nothing was changed.',
      'If it was you, sign in with this address instead; you can ask for a new password if you do not know yours.',
    ],
    note: 'If it was not you, ignore this mail.',
  });
}

/** To the address that an account has left. */
export function addressChangedMail(mail: {
  readonly to: string;
  readonly name: string;
  readonly newEmail: string;
}): MailToSend {
  return composeMail({
    to: mail.to,
    subject: 'Your e-mail address was changed',
    name: mail.name,
    paragraphs: [
      `the e-mail address of your account is ${masked(mail.newEmail)} from now on. This one signs nobody in any more.`,
    ],
    note: 'If it was not you, somebody knows your password: tell whoever runs this installation.',
  });
}

/** Enough to recognise one's own address, and too little to write to somebody else's. */
function masked(email: string): string {
  const at = email.lastIndexOf('@');
  return `${email.slice(0, 1)}…${email.slice(at)}`;
}
