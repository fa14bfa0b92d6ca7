import { EgressFault } from './fault';

/** One header as it is sent; the name keeps the case it was written in. */
export type HeaderPair = readonly [name: string, value: string];

/** Headers that frame the message or steer the connection. Set by a user they would smuggle or misroute requests. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'http2-settings',
]);

/** RFC 9110's token: what the name of a header is made of. */
export const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Tab, visible ASCII, and the upper half of Latin-1: what RFC 9110 lets a field value hold. */
export const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/**
 * Credentials the standards name, and names that say they hold one (`X-Api-Key`, `Private-Token`). They are not
 * carried to another origin, because a redirect is the answering server's choice and not the user's.
 */
const CREDENTIAL_NAME =
  /auth|cookie|token|secret|password|credential|signature|session|api-?key|access-?key/i;

/** Checks a user's headers. Throws an `EgressFault` that names the first bad one; values are never repeated. */
export function checkedHeaders(headers: Readonly<Record<string, string>>): readonly HeaderPair[] {
  const pairs = Object.entries(headers);
  for (const [name, value] of pairs) {
    const shown = JSON.stringify(name.slice(0, 80));
    if (!HEADER_NAME.test(name)) {
      throw new EgressFault(
        'invalid_request',
        `${shown} is not a header name; use letters, digits and hyphens.`,
      );
    }
    if (OWN_HEADERS.has(name.toLowerCase())) {
      throw new EgressFault(
        'invalid_request',
        `The header ${shown} is set by the HTTP client itself; remove it from the request.`,
      );
    }
    if (!HEADER_VALUE.test(value)) {
      throw new EgressFault(
        'invalid_request',
        `The value of the header ${shown} holds a line break, a control character or a character outside Latin-1; remove or encode it.`,
      );
    }
  }
  return pairs;
}

/** Adds each default whose name is not there yet, in whatever case. */
export function withDefaults(
  headers: readonly HeaderPair[],
  defaults: readonly HeaderPair[],
): readonly HeaderPair[] {
  const present = new Set(headers.map(([name]) => name.toLowerCase()));
  return [...headers, ...defaults.filter(([name]) => !present.has(name.toLowerCase()))];
}

/** The headers that may follow a redirect to another origin. */
export function withoutCredentials(headers: readonly HeaderPair[]): readonly HeaderPair[] {
  return headers.filter(([name]) => !CREDENTIAL_NAME.test(name));
}

/** The headers of a request whose body is dropped: nothing is left that describes it. */
export function withoutBodyHeaders(headers: readonly HeaderPair[]): readonly HeaderPair[] {
  return headers.filter(([name]) => !/^content-/i.test(name));
}
