import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Db } from '../db/db';
import type { Tx } from '../db/tx';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { Clock } from '../time/clock';
import { restoreBudget, takeFromBudget } from './rate-limit.sql';

/** How often something may happen: `limit` times at once, and as many again spread over each window. */
export interface RatePolicy {
  /** kebab-case, unique: it is shown in the `RateLimit` headers. */
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

/** What is left of a subject's budget after a take. */
export interface RateStanding {
  readonly policy: RatePolicy;
  /** False: the budget was used up, and nothing was taken. */
  readonly taken: boolean;
  readonly remaining: number;
  /** Whole seconds until one more may be taken; 0 when one may be now. */
  readonly retryAfterSeconds: number;
  /** Whole seconds until the budget is whole again. */
  readonly resetSeconds: number;
}

/**
 * Rate limits that hold across all processes, since the budgets lie in PostgreSQL. Subjects (addresses of people and of
 * machines) are hashed before they are stored.
 */
@Injectable()
export class RateLimiter {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
  ) {}

  /**
   * Takes one from the subject's budget. Without `tx` in a transaction of its own: it stays taken, whatever comes after.
   * Within `tx` others who take from the same budget wait for its end.
   */
  async take(policy: RatePolicy, subject: string, tx?: Tx): Promise<RateStanding> {
    return this.takeSeveral(policy, { subject, count: 1 }, tx);
  }

  /**
   * Takes `count` at once, or nothing: then `retryAfterSeconds` says when as many will be there. More than the policy's
   * limit are never there.
   */
  async takeSeveral(
    policy: RatePolicy,
    { subject, count }: { readonly subject: string; readonly count: number },
    tx?: Tx,
  ): Promise<RateStanding> {
    const { limit, windowSeconds, name } = policy;
    const key = keyOf(policy, subject);
    const params = [key, name, limit, windowSeconds, this.clock.pinned(), count] as const;
    const [row] = await (tx
      ? tx.query(takeFromBudget, ...params)
      : this.db.executeControl(takeFromBudget, ...params));
    return standingOf(policy, row ?? { taken: false, clearSeconds: windowSeconds }, count);
  }

  /** Takes one, or throws request.too_many, which says when to come back. */
  async require(policy: RatePolicy, subject: string): Promise<void> {
    const standing = await this.take(policy, subject);
    if (!standing.taken) throw tooMany(standing);
  }

  /** Gives the subject its whole budget back, e.g. when a sign-in has succeeded. Within `tx`, or at once. */
  async restore(policy: RatePolicy, subject: string, tx?: Tx): Promise<void> {
    const key = keyOf(policy, subject);
    await (tx ? tx.query(restoreBudget, key) : this.db.executeControl(restoreBudget, key));
  }
}

/** The 429 of a budget that is used up. */
export function tooMany({ policy, retryAfterSeconds }: RateStanding): AppError {
  return new AppError(platformErrors.too_many, {
    detail: `This may be done ${policy.limit} times in ${spoken(policy.windowSeconds)}. Try again in ${spoken(retryAfterSeconds)}.`,
    meta: { limit: policy.name, allowed: policy.limit, windowSeconds: policy.windowSeconds },
    retryAfterSeconds,
  });
}

/** The standing that a row of `takeFromBudget` tells of. */
function standingOf(
  policy: RatePolicy,
  { taken, clearSeconds }: { readonly taken: boolean; readonly clearSeconds: number },
  count: number,
): RateStanding {
  const step = policy.windowSeconds / policy.limit;
  const used = Math.max(clearSeconds, 0);
  // A thousandth of a second forgives what rounding made of the steps, as in the statement.
  const remaining = taken ? Math.max(0, Math.floor((policy.windowSeconds - used + 0.001) / step)) : 0;
  const wanted = taken ? step : step * count;
  const untilNext = remaining > 0 ? 0 : Math.max(1, Math.ceil(used + wanted - policy.windowSeconds - 0.001));
  return { policy, taken, remaining, retryAfterSeconds: untilNext, resetSeconds: Math.ceil(used) };
}

function keyOf(policy: RatePolicy, subject: string): Buffer {
  return createHash('sha256').update(`${policy.name}\n${subject}`).digest();
}

function spoken(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`;
}
