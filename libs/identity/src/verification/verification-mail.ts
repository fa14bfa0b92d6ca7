import { escapeHtml } from './escape-html';

/** What a mail says. */
export interface MailContent {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The mail that asks someone to prove an address, as text and HTML. `link` opens the page with the button. */
export function verificationMail({
  name,
  link,
}: {
  readonly name: string;
  readonly link: string;
}): MailContent {
  const ask = 'please confirm that this e-mail address is yours:';
  const note = 'The link works once, for 24 hours. If you did not sign up, ignore this mail.';
  return {
    subject: 'Confirm your e-mail address',
    text: `Hello ${name},\n\n${ask}\n\n${link}\n\n${note}\n`,
    html: [
      `<p>Hello ${escapeHtml(name)},</p>`,
      `<p>${ask}</p>`,
      `<p><a href="${escapeHtml(link)}">Confirm my e-mail address</a></p>`,
      `<p>${note}</p>`,
    ].join('\n'),
  };
}
