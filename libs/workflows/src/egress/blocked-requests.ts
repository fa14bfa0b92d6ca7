import type { EgressContext } from './egress-result';
import type { EgressRule } from './policy';
import { hostOf } from './policy-entry';
import type { CompiledWorkspacePolicy } from './workspace-policy';

/** Gives the policies of workspaces. Rejects when one can not be read; nothing is sent then. */
export interface WorkspacePolicySource {
  policyOf(workspaceId: string): Promise<CompiledWorkspacePolicy>;
}

/** A request that was refused, or that a dry run would have refused. */
export interface BlockedRequest {
  readonly context: EgressContext;
  readonly url: URL;
  readonly rule: EgressRule;
  readonly message: string;
  readonly dryRun: boolean;
}

/** Keeps what was refused. Never rejects: a refusal stands whether it could be written down or not. */
export interface BlockedRequestLog {
  record(blocked: BlockedRequest): Promise<void>;
}

const SHOWN_PATH_CHARS = 300;
const SHOWN_SEGMENT_CHARS = 20;
const KEPT_SEGMENT_CHARS = 4;

/** What is kept of where a request would have gone, in texts that hold no secret of its run any more. */
export function recordedPlace({ url, context: { mask } }: Pick<BlockedRequest, 'url' | 'context'>): {
  readonly host: string;
  readonly url: string;
} {
  // Before anything is cut: what a cut leaves of a secret is not found any more.
  const masked = mask(url.href);
  return {
    host: mask(hostOf(url)),
    // A secret in the name of the host leaves no URL.
    url: URL.canParse(masked) ? recordedUrl(new URL(masked)) : `${url.protocol}//…`,
  };
}

/**
 * A URL as it is kept and listed: without user, password, query and fragment, with long parts of the path cut short.
 * Tokens stand in paths as well, and those who read this list need not be those who may know the token.
 */
export function recordedUrl(url: URL): string {
  if (url.host === '') return url.protocol.slice(0, SHOWN_SEGMENT_CHARS);
  const path = url.pathname
    .split('/')
    .map((part) => (part.length > SHOWN_SEGMENT_CHARS ? `${part.slice(0, KEPT_SEGMENT_CHARS)}…` : part))
    .join('/');
  const shown = path.length > SHOWN_PATH_CHARS ? `${path.slice(0, SHOWN_PATH_CHARS)}…` : path;
  return `${url.protocol}//${url.host}${shown}`;
}
