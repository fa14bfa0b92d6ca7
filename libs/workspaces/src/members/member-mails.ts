import { composeMail, type MailToSend } from '#platform';

/** Tells somebody that they are out. No link: there is nothing to be done about it here. */
export function memberRemovedMail(mail: {
  readonly email: string;
  readonly name: string | null;
  readonly workspaceName: string;
  readonly reason: string | null;
}): MailToSend {
  const { email, name, workspaceName, reason } = mail;
  return composeMail({
    to: email,
    subject: `You are no longer a member of ${workspaceName}`,
    name,
    paragraphs: [
      `your membership of the workspace "${workspaceName}" was ended by somebody who manages its members.`,
      ...(reason === null ? [] : [`The reason they gave: ${reason}`]),
      'The workflows that you made there stay with the workspace. API keys that you made there have stopped working.',
    ],
  });
}

/** Tells somebody that a workspace is theirs now. */
export function ownershipMail(mail: {
  readonly email: string;
  readonly name: string | null;
  readonly workspaceName: string;
  readonly fromName: string;
}): MailToSend {
  const { email, name, workspaceName, fromName } = mail;
  return composeMail({
    to: email,
    subject: `You own ${workspaceName} now`,
    name,
    paragraphs: [
      `${fromName} has handed the workspace "${workspaceName}" over to you. You decide over its plan, its members and its end.`,
    ],
    note: 'If you do not want it, hand it over to another member.',
  });
}
