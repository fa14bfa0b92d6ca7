import { EgressFault } from './fault';
import { displayUrl } from './policy';
import { type HeaderPair, withoutBodyHeaders, withoutCredentials } from './request-headers';

/** The methods a node may use. CONNECT and TRACE are left out: a tunnel and an echo of credentials. */
export type EgressMethod = 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One request of a chain of redirects. */
export interface Hop {
  readonly method: EgressMethod;
  readonly url: URL;
  readonly headers: readonly HeaderPair[];
  readonly body: Uint8Array | null;
}

/**
 * The request a redirect asks for, by the Fetch standard: 303 becomes GET, so does POST on 301 and 302, while 307
 * and 308 repeat method and body. `null` when the answer is no redirect. Throws an `EgressFault` for a bad target.
 */
export function nextHop(hop: Hop, status: number, location: string | undefined): Hop | null {
  if (!isRedirect(status) || location === undefined) return null;
  const url = parseLocation(hop, location);
  const headers = url.origin === hop.url.origin ? hop.headers : withoutCredentials(hop.headers);
  if (!becomesGet(hop.method, status)) return { ...hop, url, headers };
  return { method: 'GET', url, headers: withoutBodyHeaders(headers), body: null };
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

function becomesGet(method: EgressMethod, status: number): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD';
  return (status === 301 || status === 302) && method === 'POST';
}

function parseLocation(hop: Hop, location: string): URL {
  if (URL.canParse(location, hop.url.href)) return new URL(location, hop.url);
  throw new EgressFault('bad_response', `${displayUrl(hop.url)} redirects to something that is not a URL.`);
}
