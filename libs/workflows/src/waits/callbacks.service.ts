import { Injectable } from '@nestjs/common';
import { AppError, Db } from '#platform';
import type { JsonValue } from '../definition/json';
import type { WorkflowDefinition } from '../definition/schema';
import { CallbackUrls } from '../engine/callback-urls';
import { Engine } from '../engine/engine';
import { callbackErrors } from '../errors';
import { NodeKindRegistry } from '../nodes/registry';
import { validateValue } from '../payload-schema/payload-schema';
import { findLiveDefinition } from './callbacks.sql';

/** Calls of nodes that wait for them. */
@Injectable()
export class Callbacks {
  constructor(
    private readonly db: Db,
    private readonly urls: CallbackUrls,
    private readonly engine: Engine,
    private readonly kinds: NodeKindRegistry,
  ) {}

  /**
   * Gives a node what was sent to its address. It is durable once this returns, also when the node does not wait yet.
   * Throws callback.not_found for a wrong address, callback.over when its run is over, callback.invalid_payload for something
   * that the node does not take (it goes on waiting), callback.taken for a second call.
   */
  async call(token: string, payload: JsonValue): Promise<{ readonly runId: string }> {
    const address = this.urls.addressOf(token);
    if (address === null) throw notFound();
    const { workspaceId, runId, nodeId, iteration } = address;
    const node = await this.#waitingNode(workspaceId, runId, nodeId);
    if (node === null) throw over();
    requireFitting(node.params['schema'], payload);
    const result = await this.engine.signal(workspaceId, { runId, nodeId, iteration, message: payload });
    if (result === 'not_live') throw over();
    if (result === 'taken') {
      throw new AppError(callbackErrors.taken, {
        detail: 'Somebody has called this address before, and the first call counts; or its time was over.',
      });
    }
    return { runId };
  }

  /** The node as the run's version has it; null when the run is over, or the node is none that is called. */
  async #waitingNode(
    workspaceId: string,
    runId: string,
    nodeId: string,
  ): Promise<WorkflowDefinition['nodes'][number] | null> {
    const cellId = await this.db.cellOf(workspaceId);
    const [found] = await this.db.execute(cellId, findLiveDefinition, workspaceId, runId);
    const node = found?.definition.nodes.find(({ id }) => id === nodeId);
    return node && this.kinds.get(node.type)?.calledBack ? node : null;
  }
}

function requireFitting(schema: JsonValue | undefined, payload: JsonValue): void {
  const findings = schema === undefined ? [] : validateValue(schema, payload);
  if (findings.length === 0) return;
  throw new AppError(callbackErrors.invalid_payload, {
    detail: 'The body does not fit what the workflow waits for; it goes on waiting.',
    problems: findings.map((finding) => ({ ...finding, code: 'payload' })),
  });
}

function notFound(): AppError {
  return new AppError(callbackErrors.not_found, { detail: 'Nothing waits at this address.' });
}

function over(): AppError {
  return new AppError(callbackErrors.over, { detail: 'The run that waited here is over.' });
}
