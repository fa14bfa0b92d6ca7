import { escapeHtml } from './escape-html';

/** A plain page behind a mailed link, for browsers; it works without scripts and styles. */
export interface HtmlPageContent {
  /** Plain text. */
  readonly title: string;
  /** Paragraphs of plain text. */
  readonly paragraphs: readonly string[];
  readonly links?: readonly HtmlLink[];
  readonly forms?: readonly HtmlForm[];
}

/** A way on from a page, within our own origin. */
export interface HtmlLink {
  readonly href: string;
  readonly label: string;
}

/** A form that posts to our own origin. */
export interface HtmlForm {
  readonly action: string;
  readonly hidden?: Readonly<Record<string, string>>;
  readonly fields?: readonly HtmlField[];
  /** What its button says. */
  readonly button: string;
}

/** A field that a person fills in. */
export interface HtmlField {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'password';
  readonly autocomplete: string;
}

/** Writes a page. Everything in it is escaped here, so callers hand over plain text. */
export function htmlPage({ title, paragraphs, links = [], forms = [] }: HtmlPageContent): string {
  const parts = [
    ...paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`),
    ...links.map(({ href, label }) => `<p><a href="${escapeHtml(href)}">${escapeHtml(label)}</a></p>`),
    ...forms.map(formOf),
  ];
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>${escapeHtml(title)}</title>
  </head>
  <body>
    <main>
    <h1>${escapeHtml(title)}</h1>
    ${parts.join('\n    ')}
    </main>
  </body>
</html>
`;
}

function formOf({ action, hidden = {}, fields = [], button }: HtmlForm): string {
  const inputs = [
    ...Object.entries(hidden).map(
      ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
    ),
    ...fields.map(
      ({ name, label, type, autocomplete }) =>
        `<p><label>${escapeHtml(label)} <input type="${type}" name="${escapeHtml(name)}" autocomplete="${escapeHtml(autocomplete)}" required></label></p>`,
    ),
  ];
  return `<form method="post" action="${escapeHtml(action)}">
      ${[...inputs, `<button type="submit">${escapeHtml(button)}</button>`].join('\n      ')}
    </form>`;
}

/**
 * The address of a page holds a token, so it is neither cached nor told to other sites (our own origin must see it:
 * browsers else send `Origin: null` with the page's form).
 */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'same-origin',
} as const;
