import { isIP } from 'node:net';
import { parseCIDR } from 'ipaddr.js';
import {
  type BlockedRange,
  type Cidr,
  classifyAddress,
  isWithin,
  nat64Target,
  parseAddress,
} from './address';
import { isHttpPort } from './blocked-ports';

/** What an installation lets its workflows call beyond the public Internet. */
export interface EgressPolicy {
  /** CIDR blocks of otherwise refused addresses, e.g. `10.20.0.0/16`. Metadata services stay refused. */
  readonly allowPrivateCidrs: readonly string[];
}

/** The rule that refused a request: stable, shown to people. `policy.…` are the workspace's, all others the guard's. */
export type EgressRule =
  | 'scheme'
  | 'credentials'
  | 'port'
  | `address.${BlockedRange}`
  | 'policy.deny'
  | 'policy.default';

/** A refusal and a sentence for the person who wrote the workflow. */
export interface EgressRefusal {
  readonly rule: EgressRule;
  readonly message: string;
}

/** A policy whose CIDR blocks are parsed. */
export interface CompiledPolicy {
  readonly allowed: readonly Cidr[];
}

/** Parses a policy once, at boot. Throws a `RangeError` that names the first entry that is no CIDR block. */
export function compilePolicy(policy: EgressPolicy): CompiledPolicy {
  return { allowed: policy.allowPrivateCidrs.map(parseAllowed) };
}

/** Judges all that can be known before a name is resolved. `null` means: go on and resolve. */
export function refuseUrl(policy: CompiledPolicy, url: URL): EgressRefusal | null {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { rule: 'scheme', message: `Only http and https URLs can be called, not "${url.protocol}".` };
  }
  if (url.username !== '' || url.password !== '') {
    return {
      rule: 'credentials',
      message: 'A URL must not carry a user name or password; send an Authorization header instead.',
    };
  }
  const port = portOf(url);
  if (!isHttpPort(port)) {
    return {
      rule: 'port',
      message: `Port ${port} is not open to workflows: it belongs to a service that does not speak HTTP. Use 80, 443 or a port from 1024 up.`,
    };
  }
  const literal = literalOf(url);
  return literal === null ? null : refuseAddresses(policy, url.hostname, [literal]);
}

/** Judges all addresses of a host: one refused address refuses the host, or luck would decide which one is called. */
export function refuseAddresses(
  policy: CompiledPolicy,
  host: string,
  addresses: readonly string[],
): EgressRefusal | null {
  for (const address of addresses) {
    const range = refusedRange(policy, address);
    if (range === null) continue;
    // The address itself is not repeated: it would tell a tenant what the installation's inner names resolve to.
    return {
      rule: `address.${range}`,
      message:
        `The host "${host}" leads to an address that workflows may not call (${range.replaceAll('_', ' ')}). ` +
        'Only public Internet addresses are open; the operator of this installation can allow private ranges.',
    };
  }
  return null;
}

/** The URL as it may be shown and stored: without user, password, query and fragment. */
export function displayUrl(url: URL): string {
  // The path of a `data:` or `javascript:` URL is its content, so only the scheme of such a URL is shown.
  if (url.host === '') return url.protocol;
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function refusedRange(policy: CompiledPolicy, ip: string): BlockedRange | null {
  const range = classifyAddress(ip);
  if (range === 'public') return null;
  // No workflow has business with cloud credentials, however wide a block the operator opened for other reasons.
  if (range === 'metadata' || !isAllowed(policy, ip)) return range;
  // An IPv6-only network opens its NAT64 prefix; the gateway then calls an IPv4 address that must be allowed too.
  const target = nat64Target(ip);
  return target === null ? null : refusedRange(policy, target);
}

function isAllowed(policy: CompiledPolicy, ip: string): boolean {
  const address = parseAddress(ip);
  return address !== null && policy.allowed.some((cidr) => isWithin(address, cidr));
}

function parseAllowed(text: string): Cidr {
  const [network] = text.split('/');
  try {
    // ipaddr.js also reads octal and short forms; an operator's typo must not open another range than it seems to.
    if (network !== undefined && isIP(network) !== 0) return parseCIDR(text);
  } catch (cause) {
    throw new RangeError(cidrProblem(text), { cause });
  }
  throw new RangeError(cidrProblem(text));
}

function cidrProblem(text: string): string {
  return `allowPrivateCidrs: "${text}" is not a CIDR block; write for example 10.20.0.0/16 or fd12:3456::/32.`;
}

/** The port a URL leads to, also when it does not name one. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

/** The IP address a URL names directly. WHATWG parsing has already undone decimal, octal, hex and short forms. */
function literalOf(url: URL): string | null {
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  return isIP(host) === 0 ? null : host;
}
