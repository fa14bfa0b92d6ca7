import { escapeHtml } from './escape-html';

/** The page behind a mailed link: only its button uses the token. Plain HTML, so that it works without scripts. */
export function confirmPage(token: string): string {
  return page(
    'Confirm your e-mail address',
    `<p>One click and it is confirmed.</p>
    <form method="post" action="/verify-email">
      <input type="hidden" name="token" value="${escapeHtml(token)}">
      <button type="submit">Confirm my e-mail address</button>
    </form>`,
  );
}

/** After the button: the address is verified. */
export function confirmedPage(email: string): string {
  return page(
    'Your e-mail address is confirmed',
    `<p>${escapeHtml(email)} is yours. You can close this page.</p>`,
  );
}

/** After the button, or for a link that was cut: why nothing happened and what to do. */
export function refusedPage(reason: string): string {
  return page('This link does not work', `<p>${escapeHtml(reason)}</p>`);
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>${title}</title>
  </head>
  <body>
    <main>
    <h1>${title}</h1>
    ${content}
    </main>
  </body>
</html>
`;
}
