import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, Hints, platformErrors, type Tx } from '#platform';
import type { WorkflowDefinition } from '../definition/schema';
import { HookChanged, type WorkflowChange, WorkflowArchived, WorkflowPublished } from '../events';
import { type LabelTemplates, labelTemplates } from '../history/labels';
import { NodeKindRegistry } from '../nodes/registry';
import { DeletedWorkspaces } from '../ports';
import { RecentCache } from './recent-cache';
import { type TriggerNode, triggersOf, type WebhookSettings, webhooksOf } from './trigger-nodes';
import { WorkflowHooksRepository } from './workflow-hooks.repository';
import { findPublishedVersion, findVersionOf, listVersions, type StoredVersion } from './workflow.sql';

/** A version that runs start from. */
export interface StartableVersion {
  readonly workflowId: string;
  readonly versionId: string;
  readonly number: number;
  readonly triggers: readonly TriggerNode[];
  readonly settings: WorkflowDefinition['settings'];
  /** What they say of labels. */
  readonly labels: LabelTemplates;
  /** Its webhooks by their nodes. */
  readonly webhooks: ReadonlyMap<string, WebhookSettings>;
}

/** Where a webhook leads. */
export interface HookTarget {
  readonly workflowId: string;
  readonly nodeId: string;
  readonly generation: number;
  /** Until when the address of the generation before works as well. */
  readonly previousUntil: Date | null;
}

/** Which version of which workflow. */
export interface VersionAddress {
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly versionId: string;
}

/** Other processes learn of a publication by age alone: for so long they may start runs of the version before. */
const MAX_AGE_MS = 5_000;
/** A version never changes; it is only forgotten for those that are asked for. */
const VERSION_MAX_AGE_MS = 3_600_000;
/** An entry is some 500 bytes. */
const MAX_ENTRIES = 20_000;

/**
 * What runs are started from, thousands of times a second: hence out of memory. In the process that publishes, the next
 * start has the new version; in others it has it after five seconds at the latest. Either version is a published one.
 */
@Injectable()
export class PublishedWorkflows {
  readonly #published: RecentCache<StartableVersion>;
  readonly #versions: RecentCache<StartableVersion>;
  readonly #hooks: RecentCache<HookTarget>;

  constructor(
    private readonly db: Db,
    private readonly kinds: NodeKindRegistry,
    private readonly hooks: WorkflowHooksRepository,
    private readonly workspaces: DeletedWorkspaces,
    clock: Clock,
    hints: Hints,
  ) {
    const options = { maxAgeMs: MAX_AGE_MS, maxEntries: MAX_ENTRIES };
    this.#published = new RecentCache(clock, options);
    this.#versions = new RecentCache(clock, { ...options, maxAgeMs: VERSION_MAX_AGE_MS });
    this.#hooks = new RecentCache(clock, options);
    const forget = ({ workspaceId, workflowId }: WorkflowChange) =>
      this.#published.forget(keyOf(workspaceId, workflowId));
    hints.on(WorkflowPublished, forget);
    hints.on(WorkflowArchived, forget);
    hints.on(HookChanged, ({ workspaceId, hookId }) => this.forgetHook(workspaceId, hookId));
  }

  /**
   * The published version of a workflow; null when it is missing, foreign, archived or was never published, or its
   * workspace is deleted. A deletion, too, is known after five seconds at the latest.
   */
  current(workspaceId: string, workflowId: string): Promise<StartableVersion | null> {
    return this.#published.get(keyOf(workspaceId, workflowId), async () => {
      if (!(await this.workspaces.isLive(workspaceId))) return null;
      return this.#inWorkspace(workspaceId, async (tx) => {
        const [found] = await tx.query(findPublishedVersion, workspaceId, workflowId);
        return found ? this.#startable(workflowId, found) : null;
      });
    });
  }

  /** Any version of a workflow; null when there is none. Whether the workflow may still be run, `current` tells. */
  version(workspaceId: string, workflowId: string, versionId: string): Promise<StartableVersion | null> {
    return this.#versions.get(keyOf(workspaceId, versionId), () =>
      this.#inWorkspace(workspaceId, async (tx) => {
        const [found] = await tx.query(findVersionOf, workspaceId, workflowId, versionId);
        return found ? this.#startable(workflowId, found) : null;
      }),
    );
  }

  /** Many versions of one cell, by their ids: those that are not known yet come in one statement. */
  async versionsIn(
    cellId: string,
    addresses: readonly VersionAddress[],
  ): Promise<ReadonlyMap<string, StartableVersion>> {
    const unknown: string[] = [];
    // Begins when all have been asked for, so that it knows which of them are to be loaded.
    const loading = Promise.resolve().then(() => this.#load(cellId, unknown));
    const found = await Promise.all(
      addresses.map(({ workspaceId, versionId }) =>
        this.#versions.get(keyOf(workspaceId, versionId), async () => {
          unknown.push(versionId);
          return (await loading).get(versionId) ?? null;
        }),
      ),
    );
    return new Map(found.flatMap((version) => (version ? [[version.versionId, version]] : [])));
  }

  async #load(cellId: string, versionIds: readonly string[]): Promise<ReadonlyMap<string, StartableVersion>> {
    if (versionIds.length === 0) return new Map();
    const rows = await this.db.execute(cellId, listVersions, versionIds);
    return new Map(
      rows.map(({ workflowId, ...version }) => [version.versionId, this.#startable(workflowId, version)]),
    );
  }

  /**
   * The hook with an id, null when there is none. Its node may have been taken out of the workflow since, or the
   * workflow archived: `current` tells whether the node is a trigger now.
   */
  hookById(workspaceId: string, hookId: string): Promise<HookTarget | null> {
    return this.#hooks.get(keyOf(workspaceId, hookId), () =>
      this.#inWorkspace(workspaceId, async (tx) => {
        const hook = await this.hooks.find(tx, workspaceId, hookId);
        if (!hook) return null;
        const { workflowId, nodeId, generation, previousUntil } = hook;
        return { workflowId, nodeId, generation, previousUntil };
      }),
    );
  }

  /** What is known of a hook is out of date. */
  forgetHook(workspaceId: string, hookId: string): void {
    this.#hooks.forget(keyOf(workspaceId, hookId));
  }

  #startable(workflowId: string, { definition, ...version }: StoredVersion): StartableVersion {
    const triggers = triggersOf(definition, this.kinds);
    const { settings } = definition;
    const [labels, webhooks] = [labelTemplates(definition), webhooksOf(definition)];
    return { workflowId, ...version, triggers, settings, labels, webhooks };
  }

  /** A webhook's token may name any workspace; one that does not exist has nothing. */
  async #inWorkspace<T>(workspaceId: string, find: (tx: Tx) => Promise<T | null>): Promise<T | null> {
    try {
      return await this.db.tenant(workspaceId, find);
    } catch (error) {
      if (error instanceof AppError && error.type === platformErrors.not_found) return null;
      throw error;
    }
  }
}

/** The workspace is part of the key: an id of another workspace must find nothing in memory either. */
function keyOf(workspaceId: string, id: string): string {
  return `${workspaceId} ${id}`;
}
