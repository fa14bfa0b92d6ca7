import { Agent, Pool } from 'undici';
import { type AddressJudge, type AddressLookup, guardedConnector } from './connector';
import { type CompiledPolicy, type EgressRefusal, refuseAddresses } from './policy';
import { type CompiledWorkspacePolicy, decide, refusalOf, targetOf } from './workspace-policy';

/** Twice Node's default: long cookies and security policies are common, a megabyte of headers is an attack. */
const MAX_HEADER_BYTES = 32 * 1024;
/** A server may ask for idle connections to be kept, but judged addresses should not be trusted for ever. */
const MAX_KEEP_ALIVE_MS = 60_000;
/** Workspaces whose idle connections are kept. One more closes those of the workspace that has called nothing longest. */
const MAX_WORKSPACES = 1_000;
/** Origins that a dry run keeps in mind for one workspace. */
const MAX_DOUBTS = 1_000;

/** What the pools of an installation have in common. */
export interface PoolOptions {
  readonly guard: CompiledPolicy;
  readonly lookup: AddressLookup;
}

/**
 * The connections of one workspace under one revision of its policy. They were judged by that policy when they were
 * opened, so requests that it does not judge must not use them.
 */
export class WorkspacePool {
  readonly agent: Agent;
  /** By origin: what the policy would refuse of the addresses that connections to it were opened to. */
  readonly #doubts = new Map<string, EgressRefusal>();

  constructor(
    private readonly options: PoolOptions,
    readonly policy: CompiledWorkspacePolicy,
  ) {
    this.agent = new Agent({ factory: (origin) => this.#poolOf(new URL(origin)) });
  }

  /** What the policy would have refused of the addresses behind an origin, had this been no dry run. */
  doubtOf(origin: string): EgressRefusal | null {
    return this.#doubts.get(origin) ?? null;
  }

  #poolOf(origin: URL): Pool {
    return new Pool(origin.origin, {
      connect: guardedConnector(this.#judgeOf(origin), this.options.lookup),
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    });
  }

  /** The guard first: it knows no dry run. */
  #judgeOf(origin: URL): AddressJudge {
    const target = targetOf(origin);
    return (host, addresses) => {
      const refused = refuseAddresses(this.options.guard, host, addresses);
      if (refused !== null) return refused;
      const denied = refusalOf(decide(this.policy, target, addresses), target);
      this.#doubts.delete(origin.origin);
      if (denied === null || !this.policy.dryRun) return denied;
      this.#doubt(origin.origin, denied);
      return null;
    };
  }

  #doubt(origin: string, denied: EgressRefusal): void {
    this.#doubts.set(origin, denied);
    const [oldest] = this.#doubts.keys();
    if (this.#doubts.size > MAX_DOUBTS && oldest !== undefined) this.#doubts.delete(oldest);
  }
}

/**
 * A pool of connections for each workspace. Sharing them between workspaces would save handshakes, and let one workspace
 * use what the policy of another has let through, or get answers that belong to another where a server mixes them up.
 */
export class WorkspacePools {
  /** In the order in which they were last asked for. */
  readonly #pools = new Map<string, WorkspacePool>();
  /** Replaced, but not yet done with their last requests. */
  readonly #closing = new Set<WorkspacePool>();

  constructor(private readonly options: PoolOptions) {}

  /** The pool of a workspace under this revision; that of another revision is closed once its requests are done. */
  of(workspaceId: string, policy: CompiledWorkspacePolicy): WorkspacePool {
    const known = this.#pools.get(workspaceId);
    this.#pools.delete(workspaceId);
    const isCurrent = known?.policy.revision === policy.revision;
    if (known !== undefined && !isCurrent) this.#close(known);
    const pool = known !== undefined && isCurrent ? known : new WorkspacePool(this.options, policy);
    this.#pools.set(workspaceId, pool);
    this.#trim();
    return pool;
  }

  /** Closes all connections at once. */
  async destroy(): Promise<void> {
    const pools = [...this.#pools.values(), ...this.#closing];
    this.#pools.clear();
    await Promise.all(pools.map(({ agent }) => agent.destroy()));
  }

  #trim(): void {
    for (const [workspaceId, pool] of this.#pools) {
      if (this.#pools.size <= MAX_WORKSPACES) return;
      this.#pools.delete(workspaceId);
      this.#close(pool);
    }
  }

  #close(pool: WorkspacePool): void {
    this.#closing.add(pool);
    // A request that fails meanwhile tells whoever asked for it.
    const done = () => this.#closing.delete(pool);
    pool.agent.close().then(done, done);
  }
}
