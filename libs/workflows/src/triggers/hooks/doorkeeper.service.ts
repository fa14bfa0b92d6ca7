import { Injectable } from '@nestjs/common';
import { AppError, Clock } from '#platform';
import { hookErrors } from '../../errors';
import type { HookRequest } from './hook-event';
import type { SecretKind } from './hook-secrets.sql';
import { HookSecrets, type OpenSecrets } from './hook-secrets.service';
import type { LiveHook } from './live-hooks.service';
import { Rejections } from './rejections.service';
import { refusedCredentials } from './verification/credentials';
import type { RejectReason } from './verification/signature-claim';
import { type Verdict, verify } from './verification/verify';

type Proof = Pick<Extract<Verdict, { readonly ok: true }>, 'digestHex' | 'keepSeconds'>;
type Judgement = { readonly refused: RejectReason } | { readonly proof: Proof | null };

/** Judges whether a call is its sender's: by what it shows, and by what it has signed. */
@Injectable()
export class Doorkeeper {
  constructor(
    private readonly secrets: HookSecrets,
    private readonly rejections: Rejections,
    private readonly clock: Clock,
  ) {}

  /** What a call has proved; null where its hook asks for no signature. Throws hook.rejected, and leaves a note of it. */
  async letIn(hook: LiveHook, request: HookRequest): Promise<Proof | null> {
    const { auth, verification } = hook.settings;
    if (!auth && !verification) return null;
    const { workspaceId, hookId } = hook;
    const known = await this.secrets.of(workspaceId, hookId);
    let judgement = this.#judged(hook, request, known);
    if ('refused' in judgement) {
      const newer = await this.secrets.newerThan(known, workspaceId, hookId);
      if (newer) judgement = this.#judged(hook, request, newer);
    }
    if ('proof' in judgement) return judgement.proof;
    await this.rejections.note(hook, request, judgement.refused);
    // Not a word of what is wrong: whoever guesses learns nothing, and members find it in the inbox.
    throw new AppError(hookErrors.rejected, {
      detail: 'The webhook does not take this call. Its signature or credentials are not what they must be.',
    });
  }

  /** Whether a subscription is confirmed with the token that was agreed on; with none agreed on, it is. */
  async confirms({ workspaceId, hookId }: LiveHook, shown: string): Promise<boolean> {
    const known = await this.secrets.of(workspaceId, hookId);
    const tokens = this.#valid(known, 'verify_token');
    if (tokens.length === 0) return true;
    const credentials = { headers: { authorization: `Bearer ${shown}` } };
    return refusedCredentials({ scheme: 'bearer' }, credentials, tokens) === null;
  }

  #judged({ settings }: LiveHook, request: HookRequest, known: OpenSecrets): Judgement {
    const { auth, verification } = settings;
    if (auth) {
      const kind = auth.scheme === 'basic' ? 'password' : 'bearer';
      const refused = refusedCredentials(auth, request, this.#valid(known, kind));
      if (refused) return { refused };
    }
    if (!verification) return { proof: null };
    const nowMs = this.clock.now().getTime();
    const verdict = verify(verification, request, { secrets: this.#valid(known, 'signing'), nowMs });
    return verdict.ok ? { proof: verdict } : { refused: verdict.reason };
  }

  #valid(known: OpenSecrets, kind: SecretKind): readonly string[] {
    return HookSecrets.valid(known, kind, this.clock.now());
  }
}
