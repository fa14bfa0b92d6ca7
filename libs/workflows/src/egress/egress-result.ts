import type { EgressFailureCode } from './fault';
import type { EgressRule } from './policy';
import type { EgressMethod } from './redirect';

/** For whom a request is made: whose policy judges it, and what is recorded when it is refused. */
export interface EgressContext {
  readonly workspaceId: string;
  readonly runId: string;
  readonly nodeId: string;
  /** Empty outside loops. */
  readonly iteration: string;
  /** Takes the secrets of the run out of a text that is recorded. */
  readonly mask: (text: string) => string;
}

/** One outgoing request. Everything that costs memory or time has a limit that the caller must name. */
export interface EgressRequest {
  readonly context: EgressContext;
  readonly method: EgressMethod;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Milliseconds for everything: resolving, connecting, all redirects, and the last byte of the body. */
  readonly timeoutMs: number;
  /** Most bytes of the body, as sent and also once it is decompressed. */
  readonly maxResponseBytes: number;
  /** Default true. When false a redirect is an answer like any other. */
  readonly followRedirects?: boolean;
  /** Default 10. One more is a `redirect_loop`. */
  readonly maxRedirects?: number;
  readonly signal?: AbortSignal;
}

/** Lower-case header names, each with its values in the order they came. */
export type EgressHeaders = ReadonlyMap<string, readonly string[]>;

/** A server's answer, whatever its status. */
export interface EgressResponse {
  readonly kind: 'response';
  readonly status: number;
  /** As received: `content-encoding` and `content-length` describe what was sent, not the decoded `body`. */
  readonly headers: EgressHeaders;
  readonly body: Buffer;
  /** The URL that answered, after redirects. */
  readonly url: string;
  readonly redirects: number;
}

/** How a request ended. Values, not exceptions: a thrown error is a bug of ours. */
export type EgressResult =
  | EgressResponse
  | {
      readonly kind: 'blocked';
      readonly rule: EgressRule;
      /** What was refused, without user, password and query: it may be one of the redirects. */
      readonly url: string;
      readonly message: string;
    }
  | { readonly kind: 'failed'; readonly code: EgressFailureCode; readonly message: string };
