import type { IncomingHttpHeaders } from 'node:http';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What is needed to tell whether a browser sent a request from another site's page. */
export interface BrowserRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Host the request was sent to, with its port. */
  readonly host: string;
}

/**
 * Whether a page of another origin makes a browser send this changing request, cookie included. Browsers tell it
 * themselves: `Sec-Fetch-Site` on secure origins, else `Origin`, which each of them sends with unsafe methods; pages can
 * forge neither. A request with none of the two comes from a program, which has no victim's cookies. No token is needed,
 * so none can leak or go stale.
 */
export function isCrossSite({ method, headers, host }: BrowserRequest, publicUrl: string | null): boolean {
  if (SAFE_METHODS.has(method)) return false;
  const site = headers['sec-fetch-site'];
  // `none` is the address bar, a bookmark: the person's own doing.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin } = headers;
  if (origin === undefined) return false;
  return (
    !URL.canParse(origin) || (new URL(origin).host !== host && new URL(origin).origin !== originOf(publicUrl))
  );
}

function originOf(publicUrl: string | null): string | null {
  return publicUrl === null ? null : new URL(publicUrl).origin;
}
