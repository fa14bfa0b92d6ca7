import { escapeHtml } from '../http/escape-html';
import type { MailToSend } from './mail';

/** A mail in plain text, from which both of its forms are made. */
export interface MailContent {
  readonly to: string;
  readonly subject: string;
  /** How the reader is addressed; null where the name is not known. */
  readonly name: string | null;
  readonly paragraphs: readonly string[];
  /** The one thing the reader can do. */
  readonly action?: { readonly label: string; readonly link: string };
  /** Small print, after the action. */
  readonly note?: string;
}

/** Writes a mail as text and as HTML. Everything in it is escaped here, so that no name can bend it. */
export function composeMail({ to, subject, name, paragraphs, action, note }: MailContent): MailToSend {
  const hello = name === null ? 'Hello,' : `Hello ${name},`;
  const text = [hello, ...paragraphs, ...(action ? [action.link] : []), ...(note ? [note] : [])];
  const html = [
    ...[hello, ...paragraphs].map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    ...(action ? [`<p><a href="${escapeHtml(action.link)}">${escapeHtml(action.label)}</a></p>`] : []),
    ...(note ? [`<p>${escapeHtml(note)}</p>`] : []),
  ];
  return { to, subject: onOneLine(subject), text: `${text.join('\n\n')}\n`, html: html.join('\n') };
}

const SUBJECT_MAX_CHARS = 200;

/** A subject may carry names that people chose: what could begin another header becomes a space. */
function onOneLine(subject: string): string {
  return Array.from(subject.replace(/[\p{Cc}\u2028\u2029]+/gu, ' '))
    .slice(0, SUBJECT_MAX_CHARS)
    .join('');
}
