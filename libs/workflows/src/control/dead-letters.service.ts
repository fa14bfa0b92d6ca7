import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, type Page, pageOf, type Principal, principalKey } from '#platform';
import { deadLetterErrors } from '../errors';
import { type AcceptedRun, Runs } from '../runs/runs.service';
import {
  type DeadLettersQuery,
  type DeadLetterSummary,
  type DeadLetterView,
  toLetter,
  toLetterSummary,
} from './dead-letters.dto';
import {
  type DeadLetterRow,
  discardLetter,
  findLetter,
  type FullLetter,
  listLetters,
  listLettersOfWorkflow,
} from './dead-letters.sql';
import type { VersionChoice } from './rerun.dto';
import { Reruns, startOf } from './reruns.service';

/** One letter, and who asks. */
interface LetterAddress {
  readonly workspaceId: string;
  readonly runId: string;
  readonly principal: Principal;
}

/** What is needed to take a letter up. */
export type OpenLetter = Pick<
  FullLetter,
  'runId' | 'workflowId' | 'versionId' | 'triggerNode' | 'triggerKind' | 'input'
>;

/** What is kept of runs that failed, until somebody has said what becomes of it. It belongs to the workspace. */
@Injectable()
export class DeadLetters {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly runs: Runs,
    private readonly reruns: Reruns,
  ) {}

  /** A page of letters, the last that failed first. */
  async list(
    workspaceId: string,
    { workflowId, errorCode, state, limit, ...query }: DeadLettersQuery,
    before: { readonly failedAt: string; readonly id: string } | null,
  ): Promise<Page<DeadLetterSummary>> {
    const [from, to] = [instantOf(query.from), instantOf(query.to)];
    const rows = await this.db.tenant(workspaceId, (tx) =>
      tx.query(
        workflowId === undefined ? listLetters : listLettersOfWorkflow,
        workspaceId,
        workflowId ?? null,
        errorCode ?? null,
        state ?? null,
        from,
        to,
        instantOf(before?.failedAt),
        before?.id ?? null,
        limit + 1,
      ),
    );
    // The engine gives runs their end with milliseconds, so a date loses nothing.
    const page = pageOf(rows, limit, ({ failedAt, runId }: DeadLetterRow) => ({
      failedAt: failedAt.toISOString(),
      id: runId,
    }));
    return { ...page, data: page.data.map(toLetterSummary) };
  }

  async get(workspaceId: string, runId: string): Promise<DeadLetterView> {
    return toLetter(await this.#find(workspaceId, runId));
  }

  /** Starts the run again, once: asked again, it gives the run that was started then. */
  async requeue(
    { workspaceId, runId, principal }: LetterAddress,
    choice: VersionChoice,
  ): Promise<AcceptedRun> {
    return this.takeUp(await this.#find(workspaceId, runId), { workspaceId, principal, choice });
  }

  /** Starts a run that settles an open letter. The letter is settled in the same transaction, or stays open. */
  async takeUp(
    letter: OpenLetter,
    { workspaceId, principal, choice }: { workspaceId: string; principal: Principal; choice: VersionChoice },
  ): Promise<AcceptedRun> {
    const { runId } = letter;
    const by = principalKey(principal);
    const version = await this.reruns.versionFor(workspaceId, letter, choice);
    return this.runs.startVersion(version, {
      ...startOf(letter),
      workspaceId,
      startedBy: by,
      priority: null,
      key: null,
      origin: { deadLetter: runId },
      requeue: { letterOf: runId, by },
    });
  }

  /** Nothing more is to become of it. Repeating it changes nothing. */
  async discard({ workspaceId, runId, principal }: LetterAddress): Promise<DeadLetterView> {
    const by = principalKey(principal);
    await this.db.tenant(workspaceId, (tx) =>
      tx.query(discardLetter, workspaceId, runId, by, this.clock.pinned()),
    );
    const letter = await this.#find(workspaceId, runId);
    if (letter.state === 'discarded') return toLetter(letter);
    throw new AppError(deadLetterErrors.already_settled, {
      detail: `The dead letter was requeued as the run ${letter.requeuedRunId}. Cancel that run instead.`,
      meta: { state: letter.state, requeuedRunId: letter.requeuedRunId },
    });
  }

  async #find(workspaceId: string, runId: string): Promise<FullLetter> {
    const [letter] = await this.db.tenant(workspaceId, (tx) => tx.query(findLetter, workspaceId, runId));
    if (!letter) throw new AppError(deadLetterErrors.not_found, { detail: 'There is no such dead letter.' });
    return letter;
  }
}

/** An instant as it came over the wire; null for none. */
export function instantOf(text: string | undefined): Date | null {
  return text === undefined ? null : new Date(text);
}
