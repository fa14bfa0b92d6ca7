import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, decodeCursor, encodeCursor, type Principal } from '#platform';
import { deadLetterErrors, runErrors, workflowErrors } from '../errors';
import { Runs } from '../runs/runs.service';
import { type Retried, retryCursor, type RetryRequest } from './dead-letters.dto';
import { DeadLetters, instantOf, type OpenLetter } from './dead-letters.service';
import { listOpenLetters } from './dead-letters.sql';
import type { VersionChoice } from './rerun.dto';

/** Starts that are asked for together: they share a transaction, and a refusal is known after so many at the latest. */
const TOGETHER = 100;

/** How it went with one of them. */
type Fate =
  | { readonly kind: 'retried' | 'alreadyRetried' | 'notRunnable' }
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string };

type Position = { readonly failedAt: string; readonly id: string; readonly asOf: string };
type ListedLetter = OpenLetter & { readonly failedAt: Date; readonly asOf: Date };

interface Asker {
  readonly workspaceId: string;
  readonly principal: Principal;
  readonly choice: VersionChoice;
}

/**
 * Takes up many runs that failed. Each letter is settled together with its own start, so a call that is repeated, or
 * broken off in the middle, starts no run a second time.
 */
@Injectable()
export class Retries {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly runs: Runs,
    private readonly letters: DeadLetters,
  ) {}

  /** Goes through open letters in the order in which their runs failed, and stops at the first refusal. */
  async retry(workspaceId: string, principal: Principal, request: RetryRequest): Promise<Retried> {
    const { workflowId, version: choice, limit } = request;
    if (workflowId !== undefined) await this.runs.requireWorkflow(workspaceId, workflowId);
    const count = { retried: 0, alreadyRetried: 0, notRunnable: 0 };
    let after: Position | null = decodeCursor(request.cursor, retryCursor);
    for (let left = limit; left > 0;) {
      const wanted = Math.min(left, TOGETHER);
      const found = await this.#open(workspaceId, request, { after, limit: wanted + 1 });
      const batch = found.slice(0, wanted);
      const fates = await Promise.all(
        batch.map((letter) => this.#takeUp(letter, { workspaceId, principal, choice })),
      );
      for (const { kind } of fates) if (kind !== 'refused') count[kind] += 1;
      const refusedAt = fates.findIndex(({ kind }) => kind === 'refused');
      const last = batch.at(refusedAt < 0 ? -1 : refusedAt - 1);
      if (refusedAt !== 0 && last) after = positionOf(last);
      const refusal = fates[refusedAt];
      if (refusal?.kind === 'refused') {
        const { code, detail } = refusal;
        return { ...count, refused: { code, detail }, more: true, cursor: after && encodeCursor(after) };
      }
      if (found.length === batch.length) return { ...count, refused: null, more: false, cursor: null };
      left -= batch.length;
    }
    return { ...count, refused: null, more: true, cursor: after && encodeCursor(after) };
  }

  #open(
    workspaceId: string,
    { workflowId, errorCode, from, to }: RetryRequest,
    { after, limit }: { readonly after: Position | null; readonly limit: number },
  ): Promise<readonly ListedLetter[]> {
    return this.db.tenant(workspaceId, (tx) =>
      tx.query(
        listOpenLetters,
        workspaceId,
        workflowId ?? null,
        errorCode ?? null,
        instantOf(from),
        instantOf(to),
        instantOf(after?.failedAt),
        after?.id ?? null,
        limit,
        instantOf(after?.asOf) ?? this.clock.pinned(),
      ),
    );
  }

  async #takeUp(letter: ListedLetter, asker: Asker): Promise<Fate> {
    try {
      const { replayed } = await this.letters.takeUp(letter, asker);
      return { kind: replayed ? 'alreadyRetried' : 'retried' };
    } catch (error) {
      if (error instanceof AppError) return fateOf(error);
      throw error;
    }
  }
}

/** What a refused start means for the letter. What is nobody's decision is thrown on. */
function fateOf(error: AppError): Fate {
  const { type, context } = error;
  if (type.kind === 'limit') return { kind: 'refused', code: type.code, detail: context.detail };
  switch (type) {
    case deadLetterErrors.already_settled:
    case deadLetterErrors.not_found:
      return { kind: 'alreadyRetried' };
    case workflowErrors.not_found:
    case workflowErrors.not_published:
    case runErrors.trigger_not_found:
    case runErrors.invalid_input:
      return { kind: 'notRunnable' };
    default:
      throw error;
  }
}

function positionOf({ failedAt, runId, asOf }: ListedLetter): Position {
  return { failedAt: failedAt.toISOString(), id: runId, asOf: asOf.toISOString() };
}
