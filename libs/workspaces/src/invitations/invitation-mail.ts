import { composeMail, type MailToSend } from '#platform';

/** The mail that invites somebody. `link` opens a page with the buttons. */
export function invitationMail(mail: {
  readonly to: string;
  readonly workspaceName: string;
  readonly inviterName: string | null;
  readonly role: string;
  readonly link: string;
  readonly expiresAt: Date;
}): MailToSend {
  const { to, workspaceName, inviterName, link } = mail;
  const subject =
    inviterName === null
      ? `You are invited to ${workspaceName}`
      : `${inviterName} invites you to ${workspaceName}`;
  const role = `${mail.role === 'admin' ? 'an' : 'a'} ${mail.role}`;
  return composeMail({
    to,
    subject,
    name: null,
    paragraphs: [
      `${inviterName ?? 'A workspace'} invites you to join "${workspaceName}" as ${role}.`,
      'Open this page to accept or to decline:',
    ],
    action: { label: 'Show the invitation', link },
    note: `The invitation is for ${to} alone and good until ${mail.expiresAt.toUTCString()}. Nothing happens if you ignore it.`,
  });
}
