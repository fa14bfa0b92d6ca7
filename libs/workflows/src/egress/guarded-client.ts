import { Agent, type Dispatcher } from 'undici';
import { ACCEPT_ENCODING, decodeBody, readBody } from './body-reader';
import { type AddressLookup, guardedConnector, systemLookup } from './connector';
import { Deadline } from './deadline';
import type { EgressHeaders, EgressRequest, EgressResult } from './egress-result';
import { AddressRefused, EgressFault, toFault } from './fault';
import { type CompiledPolicy, compilePolicy, displayUrl, type EgressRefusal, refuseUrl } from './policy';
import { type Hop, nextHop } from './redirect';
import { checkedHeaders, type HeaderPair, withDefaults } from './request-headers';

/** How an installation's client is set up. All defaults are the safe ones. */
export interface EgressClientOptions {
  /** Refused ranges that workflows may call all the same; none by default. */
  readonly allowPrivateCidrs?: readonly string[];
  /** Sent as `User-Agent` where a request has none. */
  readonly userAgent?: string;
  /** Replaces the operating system's resolver. */
  readonly lookup?: AddressLookup;
}

const NOT_A_URL = 'The URL can not be read; write it in full, for example https://api.example.com/items.';

const MAX_REDIRECTS = 10;
/** Twice Node's default: long cookies and security policies are common, a megabyte of headers is an attack. */
const MAX_HEADER_BYTES = 32 * 1024;
/** A server may ask for idle connections to be kept, but judged addresses should not be trusted for ever. */
const MAX_KEEP_ALIVE_MS = 60_000;

/** What is known of a request while it is under way, for the message if it ends badly. */
interface Progress {
  hop: Hop;
  stage: 'asking' | 'reading';
}

/**
 * The one way out: every request of every node goes through this client. It judges the URL, judges every address
 * before it is dialled, judges each redirect again, and holds the answer to a size and a time. Environment
 * proxies are not used: a proxy would dial addresses nobody judged.
 */
export class EgressClient {
  readonly #policy: CompiledPolicy;
  readonly #defaults: readonly HeaderPair[];
  readonly #agent: Agent;

  constructor(options: EgressClientOptions = {}) {
    this.#policy = compilePolicy({ allowPrivateCidrs: options.allowPrivateCidrs ?? [] });
    this.#defaults = [
      ['User-Agent', options.userAgent ?? 'Millrace'],
      ['Accept', '*/*'],
      ['Accept-Encoding', ACCEPT_ENCODING],
    ];
    this.#agent = new Agent({
      connect: guardedConnector(this.#policy, options.lookup ?? systemLookup),
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    });
  }

  /** Sends one request and follows its redirects. Never throws for anything the user or the network did. */
  async request(request: EgressRequest): Promise<EgressResult> {
    if (!URL.canParse(request.url)) return failed(new EgressFault('invalid_request', NOT_A_URL));
    const progress: Progress = { hop: firstHop(request), stage: 'asking' };
    try {
      const headers = withDefaults(checkedHeaders(request.headers ?? {}), this.#defaults);
      progress.hop = { ...progress.hop, headers };
      const deadline = new Deadline(request.timeoutMs, request.signal);
      return await deadline.race((signal) => this.#follow(request, progress, signal));
    } catch (error) {
      if (error instanceof AddressRefused) return blocked(error.refusal, progress.hop.url);
      const fault = toFault(error, progress.hop.url.host);
      if (fault === null) throw error;
      return failed(fault.code === 'timeout' ? timedOut(progress, request.timeoutMs) : fault);
    }
  }

  /** Closes all connections. Requests under way end as `aborted`. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #follow(request: EgressRequest, progress: Progress, signal: AbortSignal): Promise<EgressResult> {
    const maxRedirects = request.maxRedirects ?? MAX_REDIRECTS;
    for (let redirects = 0; ; redirects += 1) {
      // The deadline has already answered the caller: an effect must not happen behind its back.
      signal.throwIfAborted();
      const { hop } = progress;
      const refusal = refuseUrl(this.#policy, hop.url);
      if (refusal !== null) return blocked(refusal, hop.url);
      progress.stage = 'asking';
      const answer = await this.#send(hop, request.timeoutMs, signal);
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

  #send(hop: Hop, timeoutMs: number, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    return this.#agent.request({
      origin: hop.url.origin,
      path: hop.url.pathname + hop.url.search,
      method: hop.method,
      headers: hop.headers.flat(),
      body: hop.body,
      signal,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }
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

function blocked({ rule, message }: EgressRefusal, url: URL): EgressResult {
  return { kind: 'blocked', rule, url: displayUrl(url), message };
}

function failed({ code, message }: EgressFault): EgressResult {
  return { kind: 'failed', code, message };
}

function timedOut({ hop, stage }: Progress, timeoutMs: number): EgressFault {
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
