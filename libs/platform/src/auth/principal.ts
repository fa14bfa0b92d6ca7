/** A signed-in person. */
export interface UserPrincipal {
  readonly kind: 'user';
  readonly userId: string;
  readonly sessionId: string;
  /** How the session was presented: a cookie needs protection against cross-site requests, a bearer does not. */
  readonly via: 'cookie' | 'bearer';
}

/** A workspace's API key. It can act in that workspace alone. */
export interface ApiKeyPrincipal {
  readonly kind: 'api_key';
  readonly apiKeyId: string;
  readonly workspaceId: string;
  /** The role the key acts with. */
  readonly role: string;
  /** The permissions it may use of those its role has; null for all of them. */
  readonly scopes: readonly string[] | null;
}

/** Who is asking. Roles and plans are read live, never carried along. */
export type Principal = UserPrincipal | ApiKeyPrincipal;

/** A short text that identifies a principal in logs, audit rows and idempotency scopes: `user:<id>`, `api_key:<id>`. */
export function principalKey(principal: Principal): string {
  return principal.kind === 'user' ? `user:${principal.userId}` : `api_key:${principal.apiKeyId}`;
}

/** In whose name something was done, as history keeps it: nobody's when the product did it by itself. */
export type Actor =
  | { readonly kind: 'user' | 'api_key'; readonly id: string }
  | { readonly kind: 'system'; readonly id: null };

/** The actor that a principal is in history. */
export function actorOf(principal: Principal): Actor {
  return principal.kind === 'user'
    ? { kind: 'user', id: principal.userId }
    : { kind: 'api_key', id: principal.apiKeyId };
}
