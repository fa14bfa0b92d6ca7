import type { BlockedRequest, BlockedRequestLog, WorkspacePolicySource } from '../blocked-requests';
import {
  type CompiledWorkspacePolicy,
  compileWorkspacePolicy,
  type WorkspacePolicy,
} from '../workspace-policy';

const OPEN: WorkspacePolicy = { defaultAction: 'allow', allow: [], deny: [], dryRun: false };

/** Policies that a test sets, and what was refused. A workspace without a policy of its own may call what the guard lets. */
export class TestWorkspaces implements WorkspacePolicySource, BlockedRequestLog {
  readonly blocked: BlockedRequest[] = [];
  readonly #policies = new Map<string, CompiledWorkspacePolicy>();
  #revision = 0;
  /** What reading a policy meets. */
  fault: Error | null = null;
  /** How often a policy was asked for. */
  asked = 0;

  /** Gives a workspace a policy, under a revision of its own. */
  set(workspaceId: string, policy: Partial<WorkspacePolicy>): void {
    this.#revision += 1;
    this.#policies.set(workspaceId, compileWorkspacePolicy({ ...OPEN, ...policy }, this.#revision));
  }

  policyOf(workspaceId: string): Promise<CompiledWorkspacePolicy> {
    this.asked += 1;
    if (this.fault !== null) return Promise.reject(this.fault);
    return Promise.resolve(this.#policies.get(workspaceId) ?? compileWorkspacePolicy(OPEN, 0));
  }

  record(blocked: BlockedRequest): Promise<void> {
    this.blocked.push(blocked);
    return Promise.resolve();
  }

  /** What an `EgressClient` asks for. */
  get options(): { readonly policies: WorkspacePolicySource; readonly blocks: BlockedRequestLog } {
    return { policies: this, blocks: this };
  }
}
