import { errors } from 'undici';
import type { EgressRefusal } from './policy';

/** What went wrong with a request that was allowed. Stable; nodes report it as `egress.<code>`. */
export type EgressFailureCode =
  | 'invalid_request'
  | 'policy_unavailable'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'aborted'
  | 'connection_lost'
  | 'redirect_loop'
  | 'too_large'
  | 'bad_response';

/** What the layers below report by a code; the other failures are noticed, and told, by code of ours. */
type SystemFailureCode = Exclude<EgressFailureCode, 'policy_unavailable' | 'dns' | 'redirect_loop'>;

/** Carries a failure through undici and the stream code to the client, which turns it into a value. */
export class EgressFault extends Error {
  override readonly name = 'EgressFault';

  constructor(
    readonly code: EgressFailureCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Carries a refusal out of the connector, where names are resolved and judged. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';

  constructor(readonly refusal: EgressRefusal) {
    super(refusal.message);
  }
}

/** What each code that undici, Node or OpenSSL reports means to the person who wrote the workflow. */
const KNOWN_CODES: Readonly<Record<string, SystemFailureCode>> = {
  ECONNREFUSED: 'connect',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  EADDRNOTAVAIL: 'connect',
  ETIMEDOUT: 'connect',
  UND_ERR_CONNECT_TIMEOUT: 'connect',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'too_large',
  HPE_HEADER_OVERFLOW: 'too_large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'bad_response',
  UND_ERR_INVALID_ARG: 'invalid_request',
  UND_ERR_ABORTED: 'aborted',
  UND_ERR_CLOSED: 'aborted',
  UND_ERR_DESTROYED: 'aborted',
  EPROTO: 'tls',
  CERT_HAS_EXPIRED: 'tls',
  CERT_NOT_YET_VALID: 'tls',
  CERT_REVOKED: 'tls',
  CERT_SIGNATURE_FAILURE: 'tls',
  CERT_UNTRUSTED: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  INVALID_CA: 'tls',
  INVALID_PURPOSE: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_GET_ISSUER_CERT: 'tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
};

/**
 * Names an error met while talking to `host`. Errors without a code are bugs of ours and come back as `null`.
 * A code nobody foresaw still came from the network below, so it counts as a lost connection.
 */
export function toFault(error: unknown, host: string): EgressFault | null {
  if (error instanceof EgressFault) return error;
  // undici means to give its parser errors a code, but leaves it undefined.
  const systemCode = error instanceof errors.HTTPParserError ? 'HPE_INVALID' : codeOf(error);
  if (systemCode === null) return null;
  const code = classifyCode(systemCode);
  return new EgressFault(code, `${sentence(code, host)} (${systemCode})`, { cause: error });
}

/** The code Node, OpenSSL and undici give their errors; `null` for an error without one. */
export function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

function classifyCode(systemCode: string): SystemFailureCode {
  const known = KNOWN_CODES[systemCode];
  if (known !== undefined) return known;
  if (systemCode.startsWith('ERR_TLS_') || systemCode.startsWith('ERR_SSL_')) return 'tls';
  if (systemCode.startsWith('HPE_')) return 'bad_response';
  return 'connection_lost';
}

function sentence(code: SystemFailureCode, host: string): string {
  switch (code) {
    case 'invalid_request':
      return `The request to "${host}" can not be sent as it is written; check its URL and headers.`;
    case 'connect':
      return `No connection to "${host}" could be made; check the port and that the server is up.`;
    case 'tls':
      return `No secure connection to "${host}" could be made; check its certificate and that the port speaks TLS.`;
    case 'timeout':
      return `"${host}" did not answer in time; raise the timeout or ask for less.`;
    case 'aborted':
      return `The request to "${host}" was given up because its run was stopped.`;
    case 'connection_lost':
      return `"${host}" closed the connection before its answer was complete.`;
    case 'too_large':
      return `The headers of the answer from "${host}" are too large.`;
    case 'bad_response':
      return `"${host}" did not answer in valid HTTP.`;
    default:
      return code satisfies never;
  }
}
