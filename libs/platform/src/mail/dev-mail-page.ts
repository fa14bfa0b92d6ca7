import { escapeHtml } from '../http/escape-html';
import type { ReceivedMail } from './dev-mailbox';

/** Text as HTML whose web addresses can be clicked. What ends a sentence does not belong to the address before it. */
function linked(text: string): string {
  return text
    .split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)])/)
    .map((part, index) =>
      index % 2 === 0 ? escapeHtml(part) : `<a href="${escapeHtml(part)}">${escapeHtml(part)}</a>`,
    )
    .join('');
}

function article(mail: ReceivedMail): string {
  return `<article>
<h2>${escapeHtml(mail.subject)}</h2>
<p>To ${escapeHtml(readersOf(mail))}, ${mail.receivedAt.toISOString()}</p>
<pre>${linked(mail.text ?? mail.html ?? '')}</pre>
</article>`;
}

function readersOf({ to, alsoTo = [], cc = [], bcc = [] }: ReceivedMail): string {
  return [to, ...alsoTo, ...cc, ...bcc].join(', ');
}

/** The page at /dev/mail: every mail's text, newest first, with its links. */
export function devMailPage(mails: readonly ReceivedMail[]): string {
  const body =
    mails.length === 0
      ? '<p>No mail yet. Reload after the next one was sent.</p>'
      : mails.map(article).join('\n<hr>\n');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Mail (${mails.length})</title>
<h1>Mail sent by this process</h1>
${body}
</html>
`;
}
