import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, type IdempotencyKey, type Principal, principalKey, type Tx } from '#platform';
import { PublishedWorkflows, type StartableVersion } from '../catalog/published-workflows.service';
import type { TriggerNode } from '../catalog/trigger-nodes';
import { Engine } from '../engine/engine';
import type { RunEvent } from '../engine/run-events';
import type { RunOrigin } from '../engine/run-origin';
import type { RunPriority, StartRequest, StartResult } from '../engine/run-starter';
import type { Runaway } from '../engine/start-guard';
import { type WhyGated, whyGated } from '../engine/why-gated';
import { cleanJson } from '../expressions/clean-json';
import { deadLetterErrors, runErrors, workflowErrors } from '../errors';
import { type Labels, labelsOf } from '../history/labels';
import { expired, MissingRuns } from '../history/missing-runs.service';
import { type ConcurrencySlot, concurrencySlot } from './concurrency-slot';
import { validateValue } from '../payload-schema/payload-schema';
import { findRun, listNodeRuns, readEvents, workflowExists } from './read-runs.sql';
import { type NodeRunView, type NumberedEvent, type RunView, toNodeRun, toView } from './runs.dto';

/** A start that was accepted: now, or before with the same Idempotency-Key. */
export interface AcceptedRun {
  readonly id: string;
  readonly replayed: boolean;
}

/** A start as its door asks for it. `startedBy` is `user:…`, `api_key:…` or `hook:…`. */
export interface RunStart {
  readonly workspaceId: string;
  readonly workflowId: string;
  readonly triggerType: string;
  /** Null: the workflow's only trigger of that type. */
  readonly triggerNode: string | null;
  readonly startedBy: string;
  readonly input: unknown;
  /** They count more than those of the workflow's settings. */
  readonly labels?: Labels;
  readonly key: StartKey | null;
  /** Null: the workflow's own. */
  readonly priority: RunPriority | null;
  readonly origin?: RunOrigin;
  readonly resultsOf?: StartRequest['resultsOf'];
  readonly requeue?: StartRequest['requeue'];
}

/** By which a start that is asked for again is known. */
export interface StartKey {
  readonly key: string;
  /** Kept for good, for starts that may be asked for again after weeks; else for a day. */
  readonly lasting: boolean;
  /** What the start asks for beside trigger and input. */
  readonly also?: readonly string[];
}

/** How many checkpoints' events are read at a time. */
const EVENT_CHUNKS = 200;

/** Runs as people see and command them. What moves a run is the engine alone. */
@Injectable()
export class Runs {
  constructor(
    private readonly db: Db,
    private readonly engine: Engine,
    private readonly published: PublishedWorkflows,
    private readonly missing: MissingRuns,
    private readonly clock: Clock,
  ) {}

  /** Starts a run by hand. */
  startManually(
    scope: { readonly workspaceId: string; readonly workflowId: string; readonly principal: Principal },
    body: {
      readonly input: unknown;
      readonly trigger?: string | undefined;
      readonly priority?: RunPriority | undefined;
      readonly labels?: Labels | undefined;
    },
    key: IdempotencyKey | null,
  ): Promise<AcceptedRun> {
    return this.start({
      workspaceId: scope.workspaceId,
      workflowId: scope.workflowId,
      triggerType: 'trigger.manual',
      triggerNode: body.trigger ?? null,
      startedBy: principalKey(scope.principal),
      input: body.input,
      labels: body.labels ?? {},
      key: key && { key: key.key, lasting: false },
      priority: body.priority ?? null,
    });
  }

  /** Accepts a run of the published version. Throws what keeps it from starting. */
  async start(start: RunStart): Promise<AcceptedRun> {
    return this.startVersion(await this.runnable(start.workspaceId, start.workflowId), start);
  }

  /** The version that a workflow runs at present. Throws why it runs none. */
  async runnable(workspaceId: string, workflowId: string): Promise<StartableVersion> {
    const version = await this.published.current(workspaceId, workflowId);
    if (!version) throw await this.#whyNotPublished(workspaceId, workflowId);
    return version;
  }

  /** Accepts a run of a version. The door for all starts: what limits runs hangs on it. */
  async startVersion(version: StartableVersion, start: RunStart): Promise<AcceptedRun> {
    return accepted(await this.engine.start(await this.requestOf(version, start)));
  }

  /**
   * What the engine is asked for, for a start that somebody else performs together with rows of their own. Throws what is
   * wrong with it: no such trigger, a concurrency key that gives no value.
   */
  async requestOf(version: StartableVersion, start: RunStart): Promise<StartRequest> {
    const { workspaceId, workflowId } = start;
    const ofType = version.triggers.filter(({ type }) => type === start.triggerType);
    const chosen =
      start.triggerNode === null ? ofType : ofType.filter(({ nodeId }) => nodeId === start.triggerNode);
    const [trigger] = chosen;
    if (!trigger || chosen.length > 1) throw noTrigger(start, ofType);
    const input = JSON.stringify(start.input);
    requireFitting(trigger, input);
    return {
      workspaceId,
      workflowId,
      versionId: version.versionId,
      triggerNode: trigger.nodeId,
      triggerKind: trigger.type,
      startedBy: start.startedBy,
      input,
      labels: await labelsOf(version.labels, {
        // Most workflows have no labels, and starts are many.
        trigger: version.labels.length === 0 ? null : cleanJson(JSON.parse(input)),
        startedAt: this.clock.now().toISOString(),
        given: start.labels ?? {},
      }),
      priority: start.priority ?? version.settings?.priority ?? 'normal',
      concurrency: await this.#slot(version, start.workspaceId, input),
      maxStartsPerMinute: version.settings?.maxStartsPerMinute ?? null,
      idempotency: start.key && {
        ...start.key,
        requestHashHex: hashOf([trigger.nodeId, input, ...(start.key.also ?? [])].join('\n')),
      },
      ...(start.origin && { origin: start.origin }),
      ...(start.resultsOf && { resultsOf: start.resultsOf }),
      ...(start.requeue && { requeue: start.requeue }),
    };
  }

  async get(workspaceId: string, runId: string): Promise<RunView> {
    return toView(await this.db.tenant(workspaceId, (tx) => this.#find(tx, workspaceId, runId)));
  }

  async nodeRuns(workspaceId: string, runId: string): Promise<readonly NodeRunView[]> {
    const rows = await this.db.tenant(workspaceId, async (tx) => {
      await this.#find(tx, workspaceId, runId);
      return tx.query(listNodeRuns, workspaceId, runId);
    });
    return rows.map(toNodeRun);
  }

  /** The events behind a number, in order. Event 1 is the run's creation and is told by its row. */
  async events(workspaceId: string, runId: string, after: number): Promise<readonly NumberedEvent[]> {
    return this.db.tenant(workspaceId, async (tx) => {
      const run = await this.#find(tx, workspaceId, runId);
      const chunks = await tx.query(readEvents, workspaceId, runId, after, EVENT_CHUNKS);
      const created: NumberedEvent = { seq: 1, type: 'run.created', at: run.createdAt.toISOString() };
      return [created, ...numbered(chunks)].filter(({ seq }) => seq > after);
    });
  }

  /** What keeps a run from beginning or going on; null when nothing does, or it is not there. */
  whyGated(workspaceId: string, runId: string): Promise<WhyGated | null> {
    return this.db.tenant(workspaceId, (tx) => whyGated(tx, runId));
  }

  /** Cancels a run and gives it as it is then: canceled, or still running until its worker has stopped it. */
  async cancel(workspaceId: string, runId: string): Promise<RunView> {
    const result = await this.engine.cancel(workspaceId, runId);
    const run = await this.get(workspaceId, runId);
    if (result === 'not_live' && run.status !== 'canceled') {
      throw new AppError(runErrors.already_finished, {
        detail: `The run has ${run.status} already, so it cannot be canceled.`,
        meta: { status: run.status },
      });
    }
    return run;
  }

  async #slot(
    { workflowId, number, settings }: StartableVersion,
    workspaceId: string,
    input: string,
  ): Promise<ConcurrencySlot | null> {
    if (!settings?.concurrency) return null;
    const startedAt = this.clock.now().toISOString();
    const trigger = cleanJson(JSON.parse(input));
    const run = { id: '', workflowId, workspaceId, version: number, startedAt };
    return concurrencySlot(settings, { trigger, nodes: {}, run });
  }

  async #find(tx: Tx, workspaceId: string, runId: string) {
    const [run] = await tx.query(findRun, workspaceId, runId, this.clock.pinned());
    if (!run) throw await this.missing.error(workspaceId, runId);
    if (run.isExpired) throw expired();
    return run;
  }

  /** Throws workflow.not_found for a workflow that is missing or foreign; one that is archived may have runs. */
  async requireWorkflow(
    workspaceId: string,
    workflowId: string,
    may: 'be archived' | null = null,
  ): Promise<void> {
    const [found] = await this.db.tenant(workspaceId, (tx) =>
      tx.query(workflowExists, workspaceId, workflowId),
    );
    if (found && (may === 'be archived' || !found.archived)) return;
    throw new AppError(workflowErrors.not_found, { detail: 'There is no such workflow.' });
  }

  /** A workflow that is there but not published says so; a missing and a foreign one look alike. */
  async #whyNotPublished(workspaceId: string, workflowId: string): Promise<AppError> {
    await this.requireWorkflow(workspaceId, workflowId);
    return new AppError(workflowErrors.not_published, {
      detail: 'The workflow has no published version. Publish it first.',
    });
  }
}

/** The run of a start that the engine has decided. Throws why there is none. */
export function accepted(result: StartResult): AcceptedRun {
  switch (result.kind) {
    case 'started':
      return { id: result.runId, replayed: false };
    case 'replayed':
      return { id: result.runId, replayed: true };
    case 'key_reused':
      throw new AppError(runErrors.key_reused, {
        detail: 'This Idempotency-Key was used to start a run with another input or trigger. Use a new key.',
      });
    case 'letter_closed':
      throw letterClosed(result.state);
    case 'refused':
      throw new AppError(runErrors.refused, {
        detail: result.refusal.detail,
        meta: { reason: result.refusal.code, ...result.refusal.meta },
      });
    case 'runaway':
      throw runaway(result.runaway);
    default:
      return result satisfies never;
  }
}

function runaway({ scope, limit, windowSeconds, retryAfterSeconds }: Runaway): AppError {
  const window = windowSeconds === 60 ? 'a minute' : `${windowSeconds / 60} minutes`;
  return new AppError(runErrors.runaway, {
    detail:
      `More than ${limit} runs of this ${scope} were started within ${window}, so further ones are refused. ` +
      `Look for what starts them, or try again in ${retryAfterSeconds} s.`,
    meta: { scope, limit, windowSeconds },
    retryAfterSeconds,
  });
}

function letterClosed(state: 'discarded' | 'missing'): AppError {
  return state === 'missing'
    ? new AppError(deadLetterErrors.not_found, { detail: 'There is no such dead letter.' })
    : new AppError(deadLetterErrors.already_settled, {
        detail: 'The dead letter was discarded, so it cannot be requeued. Rerun its run instead.',
        meta: { state },
      });
}

/** The events of chunks, each with its number. */
export function numbered(
  chunks: readonly { readonly firstSeq: number; readonly events: readonly RunEvent[] }[],
): readonly NumberedEvent[] {
  return chunks.flatMap(({ firstSeq, events }) =>
    events.map((event, index): NumberedEvent => ({ seq: firstSeq + index, ...event })),
  );
}

/** Throws run.invalid_input for an input that its trigger does not take. */
function requireFitting({ schema, nodeId }: TriggerNode, input: string): void {
  const findings = schema === undefined ? [] : validateValue(schema, cleanJson(JSON.parse(input)));
  if (findings.length === 0) return;
  throw new AppError(runErrors.invalid_input, {
    detail: `The input does not fit what the trigger "${nodeId}" takes. See errors for what is wrong, and where.`,
    problems: findings.map(({ pointer, message }) => ({
      pointer: `/input${pointer}`,
      code: 'input',
      message,
    })),
  });
}

function noTrigger(start: RunStart, ofType: readonly { readonly nodeId: string }[]): AppError {
  const known = ofType.map(({ nodeId }) => nodeId).join(', ');
  const detail =
    start.triggerNode === null && ofType.length > 1
      ? `The workflow has several triggers of this type: say which one in "trigger" (${known}).`
      : `The published version has no ${start.triggerType} node${start.triggerNode === null ? '' : ` "${start.triggerNode}"`}.`;
  return new AppError(runErrors.trigger_not_found, {
    detail,
    problems: [{ pointer: '/trigger', code: 'trigger', message: detail }],
  });
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
