import { AsyncLocalStorage } from 'node:async_hooks';

/** What logs say about the request being worked on. Never read it to decide anything: pass values as parameters. */
export interface RequestContext {
  readonly requestId: string;
  /** As `principalKey` writes it. */
  principal?: string;
  workspaceId?: string;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** The context of the request this code runs for; undefined in loops and at boot. For log lines only. */
export function currentRequest(): RequestContext | undefined {
  return storage.getStore();
}

/** Runs `work`, and all that it starts, within a request's context. */
export function withRequest<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

const REQUEST_ID = /^[A-Za-z0-9_-]{8,64}$/;

/** The caller's `X-Request-Id` if it is harmless in logs and headers, else null. */
export function acceptedRequestId(header: string | readonly string[] | undefined): string | null {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : null;
}
