import { eventually } from '#platform/testing';
import type { Account } from './account';
import { expectStatus } from './api-client';
import type { Json } from './json';

/** A published workflow of an account. */
export interface Published {
  readonly workflowId: string;
  readonly path: string;
  /** The address of its webhook as the server tells it; null without a webhook. */
  readonly hookUrl: string | null;
  /** The same address at whatever port the server listens on. */
  readonly hookPath: string | null;
}

let made = 0;

/** Creates and publishes a workflow. */
export async function publish({ api, home }: Account, definition: object): Promise<Published> {
  made += 1;
  const created = await api.post(`${home}/workflows`, { name: `Workflow ${made}`, definition });
  const { id } = expectStatus(created, 201);
  const path = `${home}/workflows/${id}`;
  expectStatus(await api.post(`${path}/publish`), 201);
  const { triggers } = expectStatus(await api.get(path), 200);
  const hookUrl: string | null =
    triggers.find(({ type }: { type: string }) => type === 'trigger.webhook')?.hookUrl ?? null;
  return { workflowId: id, path, hookUrl, hookPath: hookUrl === null ? null : new URL(hookUrl).pathname };
}

/** Starts a run by hand; gives its id. */
export async function startRun({ api }: Account, { path }: Published, input: unknown = {}): Promise<string> {
  return expectStatus(await api.post(`${path}/runs`, { input }), 201).id;
}

/** Waits until a run has a status, and gives the run. Fails at once when it has ended otherwise. */
export async function runInStatus({ api, home }: Account, runId: string, status: string): Promise<Json> {
  const run = await eventually(
    async () => {
      const found = expectStatus(await api.get(`${home}/runs/${runId}`), 200);
      if (found.status !== status && found.finishedAt === null) {
        throw new Error(`The run is ${found.status}, not ${status}.`);
      }
      return found;
    },
    { timeoutMs: 20_000 },
  );
  if (run.status !== status) throw new Error(`The run ended otherwise: ${JSON.stringify(run)}`);
  return run;
}

/** What the nodes of a run did, by node id. */
export async function nodeRunsOf({ api, home }: Account, runId: string): Promise<Record<string, Json>> {
  const { data } = expectStatus(await api.get(`${home}/runs/${runId}/node-runs`), 200);
  return Object.fromEntries(data.map((node: { nodeId: string }) => [node.nodeId, node]));
}

/** The events of a run. Fails unless they are numbered from 1 without a gap. */
export async function eventsOf({ api, home }: Account, runId: string): Promise<readonly Json[]> {
  const { data } = expectStatus(await api.get(`${home}/runs/${runId}/events`), 200);
  expect(data.map(({ seq }: { seq: number }) => seq)).toEqual(
    data.map((_: unknown, index: number) => index + 1),
  );
  return data;
}

/** Edges along a chain of nodes. */
export function chain(...ids: readonly string[]): readonly { readonly from: string; readonly to: string }[] {
  return ids.slice(1).map((to, index) => ({ from: ids[index] ?? '', to }));
}
