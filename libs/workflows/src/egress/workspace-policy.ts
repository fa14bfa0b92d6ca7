import { isIP } from 'node:net';
import { type EgressRefusal, portOf } from './policy';
import {
  holdsAddress,
  hostOf,
  isBlockOnPort,
  namesHost,
  parsePolicyEntry,
  type PolicyEntry,
} from './policy-entry';

/** What a workspace lets its workflows call, of what the installation lets anybody call. */
export interface WorkspacePolicy {
  /** What becomes of hosts that neither list names. */
  readonly defaultAction: 'allow' | 'deny';
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** What the policy would refuse is only recorded. The installation's guard knows no dry run. */
  readonly dryRun: boolean;
}

/** A policy whose entries are parsed. */
export interface CompiledWorkspacePolicy {
  readonly defaultAction: 'allow' | 'deny';
  readonly allow: readonly PolicyEntry[];
  readonly deny: readonly PolicyEntry[];
  readonly dryRun: boolean;
  /** Connections are shared by requests of one workspace and one revision. */
  readonly revision: number;
}

/** Where a request goes: a name or an address, without brackets and trailing dots, and a port. */
export interface PolicyTarget {
  readonly host: string;
  readonly port: number;
}

/** What a policy says of a request, and by which entry; null for the default. */
export type PolicyDecision =
  | { readonly action: 'allow' | 'deny'; readonly entry: string | null }
  /** Only the addresses of the name can tell. */
  | { readonly action: 'depends' };

/** More is a list of another kind: a gateway's, or a DNS filter's. */
export const MAX_POLICY_ENTRIES = 500;

/** Parses the entries. Throws a `RangeError` for one that is none: a policy that is not understood lets nothing out. */
export function compileWorkspacePolicy(policy: WorkspacePolicy, revision: number): CompiledWorkspacePolicy {
  const { defaultAction, dryRun } = policy;
  return {
    defaultAction,
    allow: policy.allow.map(compileEntry),
    deny: policy.deny.map(compileEntry),
    dryRun,
    revision,
  };
}

/** Where a URL leads, as a policy sees it. */
export function targetOf(url: URL): PolicyTarget {
  return { host: hostOf(url), port: portOf(url) };
}

/**
 * The one decision about a workspace's policy. Deny beats allow, and the default decides the rest. A name is denied when
 * one of its addresses is, and allowed by its addresses only when all of them are.
 *
 * Without `addresses` it says what can be said before a name is resolved. That it denies then, no address can change:
 * so a name that is refused anyway is never asked of a name server, which would carry it out.
 */
export function decide(
  policy: CompiledWorkspacePolicy,
  { host, port }: PolicyTarget,
  resolved: readonly string[] | null,
): PolicyDecision {
  const addresses = isIP(host) === 0 ? resolved : [host];
  const denied = policy.deny.find(
    (entry) =>
      namesHost(entry, host, port) ||
      addresses?.some((address) => holdsAddress(entry, address, port)) === true,
  );
  if (denied !== undefined) return { action: 'deny', entry: denied.text };
  const allowed = allowance(policy, { host, port }, addresses);
  if (allowed.action !== 'allow' || addresses !== null) return allowed;
  return policy.deny.some((entry) => isBlockOnPort(entry, port)) ? { action: 'depends' } : allowed;
}

/** What a policy that is enforced makes of a denial: a rule and a sentence for whoever wrote the workflow. */
export function refusalOf(decision: PolicyDecision, { host }: PolicyTarget): EgressRefusal | null {
  if (decision.action !== 'deny') return null;
  if (decision.entry !== null) {
    return {
      rule: 'policy.deny',
      message: `The egress policy of this workspace denies "${host}" (by its entry ${decision.entry}).`,
    };
  }
  return {
    rule: 'policy.default',
    message:
      `The egress policy of this workspace denies what its allow list does not name, and "${host}" is not on it; ` +
      'an admin of the workspace can add it.',
  };
}

function allowance(
  policy: CompiledWorkspacePolicy,
  { host, port }: PolicyTarget,
  addresses: readonly string[] | null,
): PolicyDecision {
  const named = policy.allow.find((entry) => namesHost(entry, host, port));
  if (named !== undefined) return { action: 'allow', entry: named.text };
  if (policy.defaultAction === 'allow') return { action: 'allow', entry: null };
  const blocks = policy.allow.filter((entry) => isBlockOnPort(entry, port));
  if (blocks.length === 0) return { action: 'deny', entry: null };
  if (addresses === null) return { action: 'depends' };
  const holders = addresses.map((address) => blocks.find((entry) => holdsAddress(entry, address, port)));
  const [first] = holders;
  // No address at all is held by nothing.
  return first === undefined || holders.includes(undefined)
    ? { action: 'deny', entry: null }
    : { action: 'allow', entry: first.text };
}

function compileEntry(text: string): PolicyEntry {
  const parsed = parsePolicyEntry(text);
  if (parsed.ok) return parsed.entry;
  throw new RangeError(parsed.message);
}
