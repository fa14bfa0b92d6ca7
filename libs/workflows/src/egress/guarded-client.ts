import type { Dispatcher } from 'undici';
import { outlastOutage } from '#platform';
import type { BlockedRequestLog, WorkspacePolicySource } from './blocked-requests';
import { ACCEPT_ENCODING, decodeBody, readBody } from './body-reader';
import { type AddressLookup, systemLookup } from './connector';
import { Deadline } from './deadline';
import type { EgressHeaders, EgressRequest, EgressResult } from './egress-result';
import { AddressRefused, EgressFault, toFault } from './fault';
import { type CompiledPolicy, compilePolicy, displayUrl, type EgressRefusal, refuseUrl } from './policy';
import { type Hop, nextHop } from './redirect';
import { checkedHeaders, type HeaderPair, withDefaults } from './request-headers';
import { type WorkspacePool, WorkspacePools } from './workspace-pools';
import { type CompiledWorkspacePolicy, decide, refusalOf, targetOf } from './workspace-policy';

/** How an installation's client is set up. All defaults are the safe ones. */
export interface EgressClientOptions {
  readonly policies: WorkspacePolicySource;
  readonly blocks: BlockedRequestLog;
  /** Refused ranges that workflows may call all the same; none by default. */
  readonly allowPrivateCidrs?: readonly string[];
  /** Sent as `User-Agent` where a request has none. */
  readonly userAgent?: string;
  /** Replaces the operating system's resolver. */
  readonly lookup?: AddressLookup;
}

const NOT_A_URL = 'The URL can not be read; write it in full, for example https://api.example.com/items.';

const MAX_REDIRECTS = 10;
/** Informational answers (100 to 199) before the real one. Servers send one or two; a flood of them has no body to count. */
const MAX_INTERIM_ANSWERS = 20;

/** A refusal met on the way, enforced or not. */
interface Met {
  readonly url: URL;
  readonly refusal: EgressRefusal;
  readonly dryRun: boolean;
}

/** What is known of a request while it is under way: for the message if it ends badly, and for the record. */
interface Progress {
  hop: Hop;
  stage: 'judging' | 'asking' | 'reading';
  readonly met: Met[];
}

/**
 * The one way out: every request of every node goes through this client. It judges the URL, judges every address
 * before it is dialled, judges each redirect again, and holds the answer to a size and a time; first by the
 * installation's guard, then by the policy of the workspace. Environment proxies are not used: a proxy would dial
 * addresses nobody judged.
 */
export class EgressClient {
  readonly #guard: CompiledPolicy;
  readonly #defaults: readonly HeaderPair[];
  readonly #pools: WorkspacePools;

  constructor(private readonly options: EgressClientOptions) {
    this.#guard = compilePolicy({ allowPrivateCidrs: options.allowPrivateCidrs ?? [] });
    this.#defaults = [
      ['User-Agent', options.userAgent ?? 'Millrace'],
      ['Accept', '*/*'],
      ['Accept-Encoding', ACCEPT_ENCODING],
    ];
    this.#pools = new WorkspacePools({ guard: this.#guard, lookup: options.lookup ?? systemLookup });
  }

  /**
   * Sends one request and follows its redirects. What was refused on the way is recorded before this ends. Never throws
   * for anything the user or the network did.
   */
  async request(request: EgressRequest): Promise<EgressResult> {
    if (!URL.canParse(request.url)) return failed(new EgressFault('invalid_request', NOT_A_URL));
    const progress: Progress = { hop: firstHop(request), stage: 'judging', met: [] };
    const result = await this.#outcome(request, progress);
    for (const { url, refusal, dryRun } of progress.met) {
      await this.options.blocks.record({ context: request.context, url, ...refusal, dryRun });
    }
    return result;
  }

  /** Closes all connections. Requests under way end as `aborted`. */
  async close(): Promise<void> {
    await this.#pools.destroy();
  }

  async #outcome(request: EgressRequest, progress: Progress): Promise<EgressResult> {
    try {
      const headers = withDefaults(checkedHeaders(request.headers ?? {}), this.#defaults);
      progress.hop = { ...progress.hop, headers };
      const deadline = new Deadline(request.timeoutMs, request.signal);
      return await deadline.race((signal) => this.#follow(request, progress, signal));
    } catch (error) {
      if (error instanceof AddressRefused) return refused(progress, error.refusal);
      const fault = toFault(error, progress.hop.url.host);
      if (fault === null) throw error;
      return failed(fault.code === 'timeout' ? timedOut(progress, request.timeoutMs) : fault);
    }
  }

  async #follow(request: EgressRequest, progress: Progress, signal: AbortSignal): Promise<EgressResult> {
    const maxRedirects = request.maxRedirects ?? MAX_REDIRECTS;
    const policy = await this.#policyOf(request.context.workspaceId, signal);
    for (let redirects = 0; ; redirects += 1) {
      // The deadline has already answered the caller: an effect must not happen behind its back.
      signal.throwIfAborted();
      const { hop } = progress;
      const refusal = this.#refuse(progress, policy);
      if (refusal !== null) return refused(progress, refusal);
      progress.stage = 'asking';
      const answer = await this.#send(request, progress, { policy, signal });
      const headers = headerMap(answer.headers);
      const next =
        request.followRedirects === false
          ? null
          : nextHop(hop, answer.statusCode, headers.get('location')?.[0]);
      if (next === null) {
        progress.stage = 'reading';
        const body = await readAnswer(answer, headers, request.maxResponseBytes);
        return { kind: 'response', status: answer.statusCode, headers, body, url: hop.url.href, redirects };
      }
      discard(answer.body);
      if (redirects >= maxRedirects) throw redirectLoop(hop, redirects);
      progress.hop = next;
    }
  }

  /**
   * Whatever keeps a policy from being read, nothing is sent without it. That the database is away is no reason for a run to
   * fail: it is asked again for as long as the request may take.
   */
  async #policyOf(workspaceId: string, signal: AbortSignal): Promise<CompiledWorkspacePolicy> {
    try {
      return await outlastOutage(signal, () => this.options.policies.policyOf(workspaceId));
    } catch (cause) {
      throw policyUnavailable(cause);
    }
  }

  /** Judges a hop by its URL. What a dry run would refuse is only noted. */
  #refuse(progress: Progress, policy: CompiledWorkspacePolicy): EgressRefusal | null {
    const { url } = progress.hop;
    const refusal = refuseUrl(this.#guard, url);
    if (refusal !== null) return refusal;
    const target = targetOf(url);
    const denied = refusalOf(decide(policy, target, null), target);
    if (denied === null || !policy.dryRun) return denied;
    progress.met.push({ url, refusal: denied, dryRun: true });
    return null;
  }

  async #send(
    request: EgressRequest,
    progress: Progress,
    { policy, signal }: { readonly policy: CompiledWorkspacePolicy; readonly signal: AbortSignal },
  ): Promise<Dispatcher.ResponseData> {
    const { hop } = progress;
    const pool = this.#pools.of(request.context.workspaceId, policy);
    const interim = new InterimAnswers(signal);
    try {
      return await pool.agent.request({
        origin: hop.url.origin,
        path: hop.url.pathname + hop.url.search,
        method: hop.method,
        headers: hop.headers.flat(),
        body: hop.body,
        signal: interim.signal,
        onInfo: () => interim.count(),
        headersTimeout: request.timeoutMs,
        bodyTimeout: request.timeoutMs,
      });
    } finally {
      noteDoubt(progress, pool);
    }
  }
}

/** Ends a request whose server goes on announcing its answer. */
class InterimAnswers {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  #answers = 0;

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#controller.signal]);
  }

  count(): void {
    this.#answers += 1;
    if (this.#answers <= MAX_INTERIM_ANSWERS) return;
    const message = `The server announces its answer more than ${MAX_INTERIM_ANSWERS} times (100 to 199) and does not give it.`;
    this.#controller.abort(new EgressFault('bad_response', message));
  }
}

/** Of connections that are kept, the first request alone is judged by addresses; in a dry run each one is noted. */
function noteDoubt({ hop, met }: Progress, pool: WorkspacePool): void {
  const refusal = pool.doubtOf(hop.url.origin);
  if (refusal === null || met.at(-1)?.url === hop.url) return;
  met.push({ url: hop.url, refusal, dryRun: true });
}

function firstHop(request: EgressRequest): Hop {
  const body = typeof request.body === 'string' ? Buffer.from(request.body) : (request.body ?? null);
  return { method: request.method, url: new URL(request.url), headers: [], body };
}

async function readAnswer(
  answer: Dispatcher.ResponseData,
  headers: EgressHeaders,
  maxBytes: number,
): Promise<Buffer> {
  const body = await readBody(answer.body, maxBytes);
  return decodeBody(body, headers.get('content-encoding')?.join(',') ?? '', maxBytes);
}

/** Drops a body unread, and its connection with it: reading on would let a server spend our time. */
function discard(body: Dispatcher.ResponseData['body']): void {
  // Destroying an unread body reports an abort to its listeners, and an error event nobody hears ends the process.
  body.on('error', () => undefined).destroy();
}

function headerMap(headers: Dispatcher.ResponseData['headers']): EgressHeaders {
  return new Map(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value : [value ?? '']]),
  );
}

function refused({ hop: { url }, met }: Progress, refusal: EgressRefusal): EgressResult {
  met.push({ url, refusal, dryRun: false });
  return { kind: 'blocked', ...refusal, url: displayUrl(url) };
}

function policyUnavailable(cause?: unknown): EgressFault {
  const message = 'The egress policy of the workspace could not be read, so nothing was sent; try again.';
  return new EgressFault('policy_unavailable', message, { cause });
}

function failed({ code, message }: EgressFault): EgressResult {
  return { kind: 'failed', code, message };
}

function timedOut({ hop, stage }: Progress, timeoutMs: number): EgressFault {
  if (stage === 'judging') return policyUnavailable();
  const what =
    stage === 'asking'
      ? `"${hop.url.host}" did not begin to answer within ${timeoutMs / 1000} s`
      : `"${hop.url.host}" did not finish its answer within ${timeoutMs / 1000} s`;
  return new EgressFault('timeout', `${what}; raise the timeout, or ask for less.`);
}

function redirectLoop(hop: Hop, redirects: number): EgressFault {
  return new EgressFault(
    'redirect_loop',
    `Gave up after ${redirects} redirects, the last from ${displayUrl(hop.url)}; call the final URL directly.`,
  );
}
