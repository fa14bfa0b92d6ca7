import { Injectable } from '@nestjs/common';
import { AppError, Db, encodeCursor, type Page, type Principal, principalKey } from '#platform';
import { Engine } from '../engine/engine';
import { runErrors } from '../errors';
import { NodeKindRegistry } from '../nodes/registry';
import type { DecisionBody, WaitingDecision } from './decisions.dto';
import { findVersionOfRun, listDecisions } from './decisions.sql';
import { findDefinition } from './rerun.sql';

/** What people say about attempts that were interrupted and may not be repeated without asking. */
@Injectable()
export class Decisions {
  constructor(
    private readonly db: Db,
    private readonly engine: Engine,
    private readonly kinds: NodeKindRegistry,
  ) {}

  /** What waits for a decision in the workspace, the oldest run first. A page counts runs. */
  async list(
    workspaceId: string,
    { afterId, limit }: { readonly afterId: string | null; readonly limit: number },
  ): Promise<Page<WaitingDecision>> {
    const rows = await this.db.tenant(workspaceId, (tx) =>
      tx.query(listDecisions, workspaceId, afterId, limit + 1),
    );
    const runs = [...new Set(rows.map(({ runId }) => runId))];
    const shown = new Set(runs.slice(0, limit));
    const last = runs[limit - 1];
    const hasMore = runs.length > limit && last !== undefined;
    return {
      data: rows.filter(({ runId }) => shown.has(runId)),
      hasMore,
      nextCursor: hasMore ? encodeCursor({ id: last }) : null,
    };
  }

  /** Tells the node what was decided. The first decision counts; the run's events say whose it was. */
  async decide(
    { workspaceId, runId, principal }: { workspaceId: string; runId: string; principal: Principal },
    { nodeId, iteration, decision, attempt, value, port }: DecisionBody,
  ): Promise<void> {
    await this.#requirePort(workspaceId, { runId, nodeId, port });
    const message = {
      decision,
      by: principalKey(principal),
      ...(value !== undefined && { value }),
      ...(port !== undefined && { port }),
    };
    const result = await this.engine.decide(
      workspaceId,
      { runId, nodeId, iteration, message },
      attempt ?? null,
    );
    switch (result) {
      case 'accepted':
        return;
      case 'taken':
        throw new AppError(runErrors.already_decided, {
          detail: 'Somebody has decided this already. The events of the run say who, and what.',
        });
      case 'not_waiting':
      case 'not_live':
        throw new AppError(runErrors.nothing_to_decide, {
          detail: `The node "${nodeId}" does not wait for this decision. GET …/decisions lists what does.`,
        });
      default:
        result satisfies never;
    }
  }

  /** A port that the node does not have would silently end the way behind it. */
  async #requirePort(
    workspaceId: string,
    { runId, nodeId, port }: { runId: string; nodeId: string; port: string | undefined },
  ): Promise<void> {
    const ports = await this.db.tenant(workspaceId, async (tx) => {
      const [run] = await tx.query(findVersionOfRun, workspaceId, runId);
      if (!run) throw new AppError(runErrors.not_found, { detail: 'There is no such run.' });
      if (port === undefined) return null;
      const [version] = await tx.query(findDefinition, workspaceId, run.versionId);
      const node = version?.definition.nodes.find(({ id }) => id === nodeId);
      return node ? (this.kinds.get(node.type)?.ports(node.params) ?? []) : null;
    });
    if (ports === null || port === undefined || ports.includes(port)) return;
    const detail = `The node "${nodeId}" has no port "${port}". It has ${ports.join(', ')}.`;
    throw new AppError(runErrors.decision_port_unknown, {
      detail,
      problems: [{ pointer: '/port', code: 'port', message: detail }],
    });
  }
}
