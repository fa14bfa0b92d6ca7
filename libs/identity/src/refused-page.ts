import { htmlPage } from '#platform';

/** The page behind a mailed link that does nothing: why not, and what to do. */
export function refusedPage(reason: string): string {
  return htmlPage({ title: 'This link does not work', paragraphs: [reason] });
}

/** The page for a link that was cut. */
export function brokenLinkPage(): string {
  return refusedPage('The link is not complete. Copy the whole link from the mail.');
}
