import { Injectable, MethodNotAllowedException } from '@nestjs/common';
import { AppError, platformErrors } from '#platform';
import { isJsonObject } from '../../definition/json-guards';
import { hookErrors } from '../../errors';
import { type Accepted, Deliveries } from './deliveries.service';
import { Doorkeeper } from './doorkeeper.service';
import { hookEvent, type HookRequest, type ShownRequest, shownRequest } from './hook-event';
import { type RunAnswer, RunAnswers } from './run-answers.service';
import { type LiveHook, LiveHooks } from './live-hooks.service';

/** What a call is answered. */
export type HookReply =
  | { readonly kind: 'alive' }
  /** The sender wanted to hear this. */
  | { readonly kind: 'echo'; readonly text: string }
  | { readonly kind: 'accepted'; readonly delivery: Accepted }
  /** The same, and what the run has answered in time; null when it has not. */
  | { readonly kind: 'waited'; readonly delivery: Accepted; readonly answer: RunAnswer | null };

/** Nobody needs a longer one; visible characters only. */
const CHALLENGE = /^[\x21-\x7e]{1,1024}$/;

/** Calls of webhooks: found by the address, judged, stored with their run. */
@Injectable()
export class Hooks {
  constructor(
    private readonly hooks: LiveHooks,
    private readonly doorkeeper: Doorkeeper,
    private readonly deliveries: Deliveries,
    private readonly answers: RunAnswers,
  ) {}

  /**
   * Takes a call. Once this resolves with a run, both are durable. Throws hook.not_found, hook.rejected, why no run may
   * start. `gone` is asked for where the answer is waited for: it is aborted when the caller does not wait any more.
   */
  async call(token: string, request: HookRequest, gone: () => AbortSignal): Promise<HookReply> {
    const hook = await this.hooks.byToken(token);
    const asked = await this.#question(hook, request);
    if (asked) return asked;
    const { methods, maxBodyBytes } = hook.settings;
    if (!methods.some((method) => method === request.method)) {
      throw new MethodNotAllowedException(`The webhook takes ${methods.join(', ')}, not ${request.method}.`);
    }
    if (request.body.length > maxBodyBytes) throw tooLarge(maxBodyBytes);
    const signature = await this.doorkeeper.letIn(hook, request);
    const shown = shownRequest(request);
    const challenge = slackChallenge(hook, shown, request.body);
    if (challenge !== null) return { kind: 'echo', text: challenge };
    const { method, body } = request;
    const delivery = await this.deliveries.accept({
      hook,
      shown,
      method,
      body,
      signature,
      key: 'dedupe',
      source: 'call',
      replayOf: null,
      by: null,
    });
    const { respond } = hook.settings;
    if (respond.mode === 'now') return { kind: 'accepted', delivery };
    const timeoutMs = respond.timeoutSeconds * 1_000;
    const wanted = { workspaceId: hook.workspaceId, runId: delivery.runId, timeoutMs, gone: gone() };
    return { kind: 'waited', delivery, answer: await this.answers.answerOf(wanted) };
  }

  /** Whether the call only asks if somebody is there, or whether the address is ours. */
  async #question(hook: LiveHook, { method, query }: HookRequest): Promise<HookReply | null> {
    const { challenge, methods } = hook.settings;
    if (challenge === 'graph' && method === 'POST') return echoOf(query['validationToken']);
    if (method !== 'GET' && method !== 'HEAD') return null;
    const echo = challenge === 'hub' && method === 'GET' ? echoOf(query['hub.challenge']) : null;
    if (echo) {
      const shown = query['hub.verify_token'];
      if (await this.doorkeeper.confirms(hook, typeof shown === 'string' ? shown : '')) return echo;
      throw new AppError(hookErrors.rejected, { detail: 'The webhook does not confirm this subscription.' });
    }
    return method === 'GET' && methods.includes('GET') ? null : { kind: 'alive' };
  }
}

function echoOf(text: unknown): HookReply | null {
  return typeof text === 'string' && CHALLENGE.test(text) ? { kind: 'echo', text } : null;
}

/** Slack asks once, by a signed call, whether the address is ours. */
function slackChallenge({ settings }: LiveHook, shown: ShownRequest, bytes: Buffer): string | null {
  if (settings.verification?.preset !== 'slack') return null;
  const { body } = hookEvent(shown, bytes);
  if (body === undefined || !isJsonObject(body) || body['type'] !== 'url_verification') return null;
  const { challenge } = body;
  return typeof challenge === 'string' && CHALLENGE.test(challenge) ? challenge : null;
}

function tooLarge(maxBytes: number): AppError {
  return new AppError(platformErrors.too_large, {
    detail: `The webhook takes bodies of up to ${maxBytes} bytes.`,
    meta: { maxBytes },
  });
}
