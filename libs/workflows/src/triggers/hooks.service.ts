import { Injectable } from '@nestjs/common';
import { AppError, isUuid } from '#platform';
import { PublishedWorkflows } from '../catalog/published-workflows.service';
import { hookErrors } from '../errors';
import { Runs } from '../runs/runs.service';
import { hookEvent, type HookRequest } from './hook-event';
import { HookUrls } from './hook-token';

/** Calls of webhooks: finds the trigger a token stands for, and starts its workflow. */
@Injectable()
export class Hooks {
  constructor(
    private readonly urls: HookUrls,
    private readonly published: PublishedWorkflows,
    private readonly runs: Runs,
  ) {}

  /** Starts a run; gives its id. A wrong token, an unpublished workflow and a removed trigger all look alike. */
  async call(token: string, request: HookRequest): Promise<string> {
    const parsed = this.urls.parse(token);
    if (!parsed || !isUuid(parsed.workspaceId) || !isUuid(parsed.hookId)) throw noHook();
    const { workspaceId, hookId } = parsed;
    const hook = await this.published.hookById(workspaceId, hookId);
    if (!hook || !this.urls.verify(parsed, hook.generation)) throw noHook();
    const workflow = await this.published.current(workspaceId, hook.workflowId);
    if (!workflow?.triggers.some(({ nodeId }) => nodeId === hook.nodeId)) throw noHook();
    const { id } = await this.runs.start({
      workspaceId,
      workflowId: hook.workflowId,
      triggerType: 'trigger.webhook',
      triggerNode: hook.nodeId,
      startedBy: `hook:${hookId}`,
      input: hookEvent(request),
      key: null,
      priority: null,
    });
    return id;
  }
}

function noHook(): AppError {
  return new AppError(hookErrors.not_found, { detail: 'No webhook has this address.' });
}
