import { isIP } from 'node:net';
import { Injectable } from '@nestjs/common';
import {
  type Access,
  type Client,
  Clock,
  Config,
  Db,
  type ExpectedRevision,
  Hints,
  Logger,
  type Principal,
  principalKey,
  staleRevision,
} from '#platform';
import { RecentCache } from '../catalog/recent-cache';
import { EgressPolicyChanged } from '../events';
import { WorkflowAudit } from '../ports';
import type { WorkspacePolicySource } from './blocked-requests';
import type { EgressPolicyBody, EgressPolicyView, EgressTestBody, EgressTestView } from './egress-policy.dto';
import { findPolicy, lockPolicy, savePolicy, type StoredPolicy } from './egress-policy.sql';
import { type CompiledPolicy, compilePolicy, refuseAddresses, refuseUrl } from './policy';
import { parsePolicyEntry } from './policy-entry';
import {
  type CompiledWorkspacePolicy,
  compileWorkspacePolicy,
  decide,
  refusalOf,
  targetOf,
  type WorkspacePolicy,
} from './workspace-policy';

/** Who does something, and in which workspace. */
export interface EgressCaller {
  readonly access: Access;
  readonly principal: Principal;
  readonly client: Client;
}

/** Other processes learn of a change by age alone: for so long they may still go by the policy before. */
const MAX_AGE_MS = 5_000;
const MAX_ENTRIES = 10_000;
/** Of a change, as many entries are written into the audit log. */
const AUDITED_ENTRIES = 100;

/** What workspaces let their workflows call, as people set it and as every request is judged by it. */
@Injectable()
export class EgressPolicies implements WorkspacePolicySource {
  readonly #recent: RecentCache<CompiledWorkspacePolicy>;
  readonly #guard: CompiledPolicy;
  readonly #default: WorkspacePolicy;
  readonly #logger: Logger;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly hints: Hints,
    private readonly audit: WorkflowAudit,
    logger: Logger,
    { values }: Config,
  ) {
    this.#recent = new RecentCache(clock, { maxAgeMs: MAX_AGE_MS, maxEntries: MAX_ENTRIES });
    this.#guard = compilePolicy({ allowPrivateCidrs: values.egressAllowPrivate });
    this.#default = { defaultAction: values.egressDefaultAction, allow: [], deny: [], dryRun: false };
    this.#logger = logger.scoped('egress');
    hints.on(EgressPolicyChanged, ({ workspaceId }) => this.#recent.forget(workspaceId));
  }

  /** The policy that judges requests now: at most five seconds old. Rejects when it can not be read. */
  async policyOf(workspaceId: string): Promise<CompiledWorkspacePolicy> {
    const found = await this.#recent.get(workspaceId, () => this.#load(workspaceId));
    return found ?? this.#compiledDefault();
  }

  /** The policy as it is set. */
  async get(workspaceId: string): Promise<EgressPolicyView> {
    const [stored] = await this.db.tenant(workspaceId, (tx) => tx.query(findPolicy, workspaceId));
    return this.#view(stored);
  }

  /** Replaces the policy if nobody else did since `expected`. Throws request.precondition_failed with the current revision. */
  save(
    { access: { workspaceId }, principal, client }: EgressCaller,
    body: EgressPolicyBody,
    expected: ExpectedRevision,
  ): Promise<EgressPolicyView> {
    const wanted = { ...body, allow: normalised(body.allow), deny: normalised(body.deny) };
    return this.db.tenant(workspaceId, async (tx) => {
      const [before] = await tx.query(lockPolicy, workspaceId);
      const [saved] = await tx.query(
        savePolicy,
        workspaceId,
        wanted.defaultAction,
        wanted.allow,
        wanted.deny,
        wanted.dryRun,
        principalKey(principal),
        expected === 'any' ? null : expected,
        this.clock.pinned(),
      );
      if (!saved) {
        const [current] = await tx.query(findPolicy, workspaceId);
        throw staleRevision(expected, current?.revision ?? 0);
      }
      await this.audit.record(tx, {
        workspaceId,
        actor: principal,
        client,
        action: 'egress_policy.changed',
        targetKind: 'egress_policy',
        targetId: workspaceId,
        after: changeOf(before ?? this.#default, saved),
      });
      this.hints.afterCommit(tx, EgressPolicyChanged, { workspaceId });
      return this.#view(saved);
    });
  }

  /**
   * What would be decided of a request, and by what. Makes none, and resolves nothing: a name server would be told of every
   * name that is tried, and its answer be told to whoever tries.
   */
  async test(workspaceId: string, { url: text, addresses }: EgressTestBody): Promise<EgressTestView> {
    const url = new URL(text);
    const target = targetOf(url);
    const given = addresses ?? null;
    const guarded =
      refuseUrl(this.#guard, url) ??
      (given === null ? null : refuseAddresses(this.#guard, target.host, given));
    const addressesJudged = given !== null || isIP(target.host) !== 0;
    if (guarded !== null) {
      return { decision: 'deny', entry: null, enforced: true, addressesJudged, ...guarded };
    }
    const [stored] = await this.db.tenant(workspaceId, (tx) => tx.query(findPolicy, workspaceId));
    const policy = stored ? compileWorkspacePolicy(stored, stored.revision) : this.#compiledDefault();
    const decision = decide(policy, target, given);
    const refusal = refusalOf(decision, target);
    return {
      decision: decision.action,
      entry: decision.action === 'depends' ? null : decision.entry,
      rule: refusal?.rule ?? null,
      message: refusal?.message ?? null,
      enforced: !policy.dryRun,
      addressesJudged,
    };
  }

  /** All who wait for one reading share it, and so the line in the log. */
  async #load(workspaceId: string): Promise<CompiledWorkspacePolicy> {
    try {
      const [stored] = await this.db.execute(await this.db.cellOf(workspaceId), findPolicy, workspaceId);
      return stored ? compileWorkspacePolicy(stored, stored.revision) : this.#compiledDefault();
    } catch (error) {
      const message = 'The egress policy of a workspace can not be read: nothing is sent for it';
      this.#logger.warn(message, { workspaceId, error });
      throw error;
    }
  }

  #compiledDefault(): CompiledWorkspacePolicy {
    return compileWorkspacePolicy(this.#default, 0);
  }

  #view(stored: StoredPolicy | undefined): EgressPolicyView {
    const { allow, deny, defaultAction, dryRun } = stored ?? this.#default;
    return {
      defaultAction,
      allow: [...allow],
      deny: [...deny],
      dryRun,
      revision: stored?.revision ?? 0,
      updatedAt: stored?.updatedAt.toISOString() ?? null,
      updatedBy: stored?.updatedBy ?? null,
    };
  }
}

/** Each entry once, in the spelling in which it is stored. */
function normalised(entries: readonly string[]): readonly string[] {
  const parsed = entries.map(parsePolicyEntry);
  return [...new Set(parsed.flatMap((one) => (one.ok ? [one.entry.text] : [])))];
}

/** What a change has changed, for the audit log: it must be readable, however long the lists are. */
function changeOf(before: WorkspacePolicy, after: StoredPolicy): Readonly<Record<string, unknown>> {
  return {
    revision: after.revision,
    defaultAction: after.defaultAction,
    dryRun: after.dryRun,
    allowEntries: after.allow.length,
    denyEntries: after.deny.length,
    added: differences(after, before),
    removed: differences(before, after),
  };
}

/** Entries that one policy has and the other has not. */
function differences(
  one: Pick<WorkspacePolicy, 'allow' | 'deny'>,
  other: Pick<WorkspacePolicy, 'allow' | 'deny'>,
): readonly string[] {
  const missing = (list: 'allow' | 'deny') =>
    one[list].filter((entry) => !other[list].includes(entry)).map((entry) => `${list} ${entry}`);
  return [...missing('allow'), ...missing('deny')].slice(0, AUDITED_ENTRIES);
}
