import { SetMetadata } from '@nestjs/common';
import type { RatePolicy } from './rate-limiter';

export const RATE_LIMITS = 'millrace:rate-limits';

/** A policy of a route, and whom it counts: the client's address, who is signed in, or a text in the JSON body. */
export interface RouteLimit extends RatePolicy {
  readonly by: 'ip' | 'principal' | { readonly body: string };
}

/**
 * Limits how often a route may be called. Each limit has a budget of its own; a request that one of them refuses is
 * answered with 429, and takes nothing from those listed after it. Routes that name the same policy share its budget.
 */
export const RateLimit = (...limits: readonly RouteLimit[]) => SetMetadata(RATE_LIMITS, limits);
