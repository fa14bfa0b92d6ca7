import type { Principal } from './principal';

/**
 * Port: whether somebody who was let in a while ago would be let in now. Asked by what outlives a request, streams for
 * example. Bound in the app's wiring.
 */
export abstract class LivePrincipals {
  /** False once the session has ended or expired, or the key is revoked or expired. */
  abstract holds(principal: Principal): Promise<boolean>;
}
