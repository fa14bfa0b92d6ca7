import { isIP } from 'node:net';
import { IPv4, IPv6, parse, parseCIDR } from 'ipaddr.js';

/** Why an address is not one a workflow may call: the name of the special-purpose range it lies in. */
export type BlockedRange =
  | 'invalid'
  | 'metadata'
  | 'this_network'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'link_local'
  | 'carrier_nat'
  | 'unique_local'
  | 'site_local'
  | 'multicast'
  | 'broadcast'
  | 'documentation'
  | 'benchmarking'
  | 'discard'
  | 'nat64'
  | 'six_to_four'
  | 'teredo'
  | 'reserved';

/** A parsed CIDR block: network address and prefix length. */
export type Cidr = readonly [IPv4 | IPv6, number];

/**
 * The IANA special-purpose registries (IPv4 and IPv6) and the clouds' metadata services, narrowest first:
 * the first block that holds an address names it.
 */
export const BLOCKED_CIDRS: readonly (readonly [cidr: string, range: BlockedRange])[] = [
  // Metadata services hand out cloud credentials. Azure's lies in public space, so no other rule would catch it.
  ['169.254.169.254/32', 'metadata'],
  ['169.254.170.2/32', 'metadata'],
  ['169.254.170.23/32', 'metadata'],
  ['100.100.100.200/32', 'metadata'],
  ['168.63.129.16/32', 'metadata'],
  ['192.0.0.192/32', 'metadata'],
  ['fd00:ec2::254/128', 'metadata'],
  ['fd00:ec2::23/128', 'metadata'],
  ['fd20:ce::254/128', 'metadata'],
  ['fe80::a9fe:a9fe/128', 'metadata'],

  ['0.0.0.0/8', 'this_network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'carrier_nat'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link_local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'documentation'],
  ['192.31.196.0/24', 'reserved'],
  ['192.52.193.0/24', 'reserved'],
  ['192.88.99.0/24', 'six_to_four'],
  ['192.168.0.0/16', 'private'],
  ['192.175.48.0/24', 'reserved'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['240.0.0.0/4', 'reserved'],

  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['64:ff9b::/96', 'nat64'],
  ['64:ff9b:1::/48', 'nat64'],
  ['100::/64', 'discard'],
  ['2001::/32', 'teredo'],
  ['2001:2::/48', 'benchmarking'],
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', 'six_to_four'],
  ['2620:4f:8000::/48', 'reserved'],
  ['3fff::/20', 'documentation'],
  ['fc00::/7', 'unique_local'],
  ['fe80::/10', 'link_local'],
  ['fec0::/10', 'site_local'],
  ['ff00::/8', 'multicast'],
];

const BLOCKED = BLOCKED_CIDRS.map(([cidr, range]) => ({ cidr: parseCIDR(cidr), range }));

const IPV4_MAPPED: Cidr = parseCIDR('::ffff:0:0/96');
const IPV4_COMPATIBLE: Cidr = parseCIDR('::/96');
/** Everything the IANA has handed out as global unicast IPv6. What lies outside is not routed on the Internet. */
const GLOBAL_UNICAST_IPV6: Cidr = parseCIDR('2000::/3');

/**
 * Judges one IP address in the canonical spelling that URL parsing and name resolution produce. Other spellings
 * (octal, hexadecimal, short forms) are `invalid` here: guessing at them is how guards and kernels come to differ.
 */
export function classifyAddress(ip: string): 'public' | BlockedRange {
  const address = parseAddress(ip);
  return address === null ? 'invalid' : classify(address);
}

/** The address an IP stands for: IPv4-mapped IPv6 (`::ffff:1.2.3.4`) is unwrapped. `null` when it is none. */
export function parseAddress(ip: string): IPv4 | IPv6 | null {
  if (isIP(ip) === 0) return null;
  const address = parse(isIP(ip) === 6 ? hexadecimal(ip) : ip);
  return isWithin(address, IPV4_MAPPED) ? lowIpv4(address) : address;
}

/** The IPv4 address that a NAT64 gateway would really call: the low 32 bits. */
export function nat64Target(ip: string): string | null {
  const address = parseAddress(ip);
  if (address === null || classify(address) !== 'nat64') return null;
  return lowIpv4(address).toString();
}

/** Whether the address lies in the block. An IPv4 address is in no IPv6 block and the other way round. */
export function isWithin(address: IPv4 | IPv6, [network, prefixBits]: Cidr): boolean {
  return address.kind() === network.kind() && address.match(network, prefixBits);
}

function classify(address: IPv4 | IPv6): 'public' | BlockedRange {
  const blocked = BLOCKED.find(({ cidr }) => isWithin(address, cidr));
  if (blocked !== undefined) return blocked.range;
  if (isWithin(address, IPV4_COMPATIBLE)) {
    // `::10.0.0.1` is named after what it hides; one that hides a public address is still routed nowhere.
    const inner = classify(lowIpv4(address));
    return inner === 'public' ? 'reserved' : inner;
  }
  if (address.kind() === 'ipv6' && !isWithin(address, GLOBAL_UNICAST_IPV6)) return 'reserved';
  // A second opinion: what ipaddr.js calls special and the table above does not know is refused as well.
  return address.range() === 'unicast' ? 'public' : 'reserved';
}

/**
 * IPv6 without a zone and without a dotted tail. ipaddr.js reads `::1.2.3.4`, which resolvers do print, as
 * IPv4-mapped, but the kernel dials another address: the IPv4-compatible one. The URL parser reads it right.
 */
function hexadecimal(ip: string): string {
  const [address = ip] = ip.split('%');
  return address.includes('.') ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}

function lowIpv4(address: IPv4 | IPv6): IPv4 {
  return new IPv4(address.toByteArray().slice(-4));
}
