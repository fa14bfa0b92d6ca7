import { isIP } from 'node:net';
import { IPv4, IPv6, parseCIDR } from 'ipaddr.js';
import { type Cidr, isWithin, nat64Target, parseAddress } from './address';

/** A host name of an allow or deny list, or all names below one. */
interface NameEntry {
  readonly kind: 'name';
  /** As it is stored and shown: normalised. */
  readonly text: string;
  readonly host: string;
  /** `*.host`: every name below it, at any depth, and not the name itself. */
  readonly below: boolean;
  readonly port: number | null;
}

/** A block of addresses of an allow or deny list; a single address is the smallest one. */
interface BlockEntry {
  readonly kind: 'block';
  readonly text: string;
  readonly cidr: Cidr;
  readonly port: number | null;
}

/** One entry of an allow or deny list. Without a port it means every port. */
export type PolicyEntry = NameEntry | BlockEntry;

/** An entry, or a sentence that says what is wrong with it. */
export type ParsedEntry =
  | { readonly ok: true; readonly entry: PolicyEntry }
  | { readonly ok: false; readonly message: string };

/** Longer than any host name with a wildcard and a port. */
const MAX_CHARS = 270;
const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
/** What URL parsing leaves of a host name: ASCII, lower case. Underscores are no letters of DNS, but in use. */
const HOST = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);

/**
 * Reads an entry: `api.example.com`, `*.example.com`, `host:8443`, `203.0.113.7`, `[2001:db8::1]:443`, `203.0.113.0/24`.
 * International names become ASCII, letters small, a trailing dot goes, and host bits of a block are cleared, so that
 * every spelling of one thing is stored as the same text.
 */
export function parsePolicyEntry(text: string): ParsedEntry {
  if (text === '' || text.length > MAX_CHARS) {
    return fault(`An entry has 1 to ${MAX_CHARS} characters.`);
  }
  if (/[\s?#@\\%]/.test(text)) return fault(`"${text}" is not a host or a block of addresses: ${HINT}`);
  if (text.includes('/')) return parseBlock(text);
  const { rest, port } = splitPort(text);
  if (port === 'invalid') return fault(`The port of "${text}" is not between 1 and 65535.`);
  const literal = /^\[([^\]]*)\]$/.exec(rest)?.[1] ?? rest;
  if (isIP(literal) !== 0) return parseLiteral(literal, port);
  return parseName(rest, port, text);
}

/** Whether an entry is about a host by its name. `host` is as `hostOf` gives it. */
export function namesHost(entry: PolicyEntry, host: string, port: number): boolean {
  if (entry.kind !== 'name' || !isOnPort(entry, port)) return false;
  return entry.below ? host.endsWith(`.${entry.host}`) : host === entry.host;
}

/** Whether an entry is a block that an address lies in; also when a NAT64 gateway would call an address of the block. */
export function holdsAddress(entry: PolicyEntry, ip: string, port: number): boolean {
  if (!isBlockOnPort(entry, port)) return false;
  const target = nat64Target(ip);
  return isInBlock(entry, ip) || (target !== null && isInBlock(entry, target));
}

/** Whether an entry can only be judged by addresses. */
export function isBlockOnPort(entry: PolicyEntry, port: number): entry is BlockEntry {
  return entry.kind === 'block' && isOnPort(entry, port);
}

/** The host of a URL as entries name it: an address without brackets, a name without trailing dots. */
export function hostOf(url: URL): string {
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  return host.replace(/\.+$/, '');
}

const HINT = 'write api.example.com, *.example.com, api.example.com:8443, 203.0.113.7 or 203.0.113.0/24.';

function isOnPort(entry: PolicyEntry, port: number): boolean {
  return entry.port === null || entry.port === port;
}

function isInBlock({ cidr }: BlockEntry, ip: string): boolean {
  const address = parseAddress(ip);
  return address !== null && isWithin(address, cidr);
}

function splitPort(text: string): { readonly rest: string; readonly port: number | null | 'invalid' } {
  // The colons of a bare IPv6 address separate no port.
  if (isIP(text) === 6) return { rest: text, port: null };
  const found = /^(.+):(\d+)$/.exec(text);
  if (found === null) return { rest: text, port: null };
  const port = Number(found[2]);
  return { rest: found[1] ?? '', port: port >= 1 && port <= 65_535 ? port : 'invalid' };
}

function parseBlock(text: string): ParsedEntry {
  const [network = '', bits = ''] = text.split('/', 2);
  const family = isIP(network);
  if (family === 0 || text.split('/').length !== 2 || !/^\d{1,3}$/.test(bits)) {
    return fault(`"${text}" is not a block of addresses: ${HINT}`);
  }
  if (Number(bits) > (family === 4 ? 32 : 128)) return fault(`"${text}" has a prefix that is too long.`);
  if (family === 6 && isMapped(network)) {
    return fault(`"${text}" is IPv4 written as IPv6; write the IPv4 block.`);
  }
  const first = family === 4 ? IPv4.networkAddressFromCIDR(text) : IPv6.networkAddressFromCIDR(text);
  const normal = `${first.toString()}/${bits}`;
  return { ok: true, entry: { kind: 'block', text: normal, cidr: parseCIDR(normal), port: null } };
}

function parseLiteral(ip: string, port: number | null): ParsedEntry {
  // A mapped address is the IPv4 address it stands for, which is what is dialled.
  const address = parseAddress(ip);
  if (address === null) return fault(`"${ip}" is not an address.`);
  const isV6 = address.kind() === 'ipv6';
  const plain = address.toString();
  const shown = isV6 && port !== null ? `[${plain}]` : plain;
  const cidr: Cidr = [address, isV6 ? 128 : 32];
  return { ok: true, entry: { kind: 'block', text: withPort(shown, port), cidr, port } };
}

function parseName(rest: string, port: number | null, text: string): ParsedEntry {
  const below = rest.startsWith('*.');
  const name = below ? rest.slice(2) : rest;
  const url = `http://${name}/`;
  const host = /[[\]:]/.test(name) || !URL.canParse(url) ? '' : hostOf(new URL(url));
  if (isIP(host) !== 0) {
    return fault(`"${text}" is another spelling of the address ${host}; write it so, without a wildcard.`);
  }
  if (!HOST.test(host)) return fault(`"${text}" is not a host or a block of addresses: ${HINT}`);
  const normal = withPort(`${below ? '*.' : ''}${host}`, port);
  return { ok: true, entry: { kind: 'name', text: normal, host, below, port } };
}

function isMapped(network: string): boolean {
  return parseAddress(network)?.kind() === 'ipv4';
}

function withPort(host: string, port: number | null): string {
  return port === null ? host : `${host}:${port}`;
}

function fault(message: string): ParsedEntry {
  return { ok: false, message };
}
