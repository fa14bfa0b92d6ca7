import { Injectable } from '@nestjs/common';
import { AppError, Clock, isUuid } from '#platform';
import {
  type HookTarget,
  PublishedWorkflows,
  type StartableVersion,
} from '../../catalog/published-workflows.service';
import type { WebhookSettings } from '../../catalog/trigger-nodes';
import { hookErrors } from '../../errors';
import { HookUrls, type ParsedHookToken } from './hook-token';

/** A hook that takes calls now, and what it leads to. */
export interface LiveHook {
  readonly workspaceId: string;
  readonly hookId: string;
  readonly nodeId: string;
  readonly version: StartableVersion;
  readonly settings: WebhookSettings;
}

/** Finds hooks, by the tokens of their addresses or by their ids: out of memory, so that a call costs no statement. */
@Injectable()
export class LiveHooks {
  constructor(
    private readonly urls: HookUrls,
    private readonly published: PublishedWorkflows,
    private readonly clock: Clock,
  ) {}

  /** The hook that a token is for. A wrong token, an unpublished workflow and a removed trigger all look alike. */
  async byToken(token: string): Promise<LiveHook> {
    const parsed = this.urls.parse(token);
    if (!parsed || !isUuid(parsed.workspaceId) || !isUuid(parsed.hookId)) throw noHook();
    const { workspaceId, hookId } = parsed;
    const target = await this.#targetOf(parsed);
    const live = target && (await this.#live(workspaceId, hookId, target));
    if (!live) throw noHook();
    return live;
  }

  /** The hook of a workflow. Throws hook.not_found, also when the workflow does not take its calls now. */
  async byId(workspaceId: string, workflowId: string, hookId: string): Promise<LiveHook> {
    const target = await this.published.hookById(workspaceId, hookId);
    const live = target?.workflowId === workflowId ? await this.#live(workspaceId, hookId, target) : null;
    if (!live) throw noSuchHook();
    return live;
  }

  /** The target, if the token is that of its present address, or of the one before while that still works. */
  async #targetOf(parsed: ParsedHookToken): Promise<HookTarget | null> {
    const { workspaceId, hookId } = parsed;
    const known = await this.published.hookById(workspaceId, hookId);
    if (!known) return null;
    const distance = this.urls.distance(parsed, known.generation);
    if (distance !== 1) return this.#works(known, distance) ? known : null;
    this.published.forgetHook(workspaceId, hookId);
    const now = await this.published.hookById(workspaceId, hookId);
    return now && this.#works(now, this.urls.distance(parsed, now.generation)) ? now : null;
  }

  #works({ previousUntil }: HookTarget, distance: number | null): boolean {
    if (distance === 0) return true;
    return distance === -1 && previousUntil !== null && previousUntil > this.clock.now();
  }

  async #live(workspaceId: string, hookId: string, target: HookTarget): Promise<LiveHook | null> {
    const { workflowId, nodeId } = target;
    const version = await this.published.current(workspaceId, workflowId);
    const settings = version?.webhooks.get(nodeId);
    return version && settings ? { workspaceId, hookId, nodeId, version, settings } : null;
  }
}

/** There is no hook with an id, in this workflow, or its node is not published. */
export function noSuchHook(): AppError {
  return new AppError(hookErrors.not_found, { detail: 'There is no such webhook.' });
}

function noHook(): AppError {
  return new AppError(hookErrors.not_found, { detail: 'No webhook has this address.' });
}
