import { randomUUID } from 'node:crypto';
import type { Principal } from '#platform';
import type { TestDb } from '#platform/testing';
import { PublishedWorkflows } from '../catalog/published-workflows.service';
import { WorkflowHooksRepository } from '../catalog/workflow-hooks.repository';
import { CancelAll } from '../control/cancel-all.service';
import { DeadLetters } from '../control/dead-letters.service';
import { Decisions } from '../control/decisions.service';
import { Explanations } from '../control/explain.service';
import { Reruns } from '../control/reruns.service';
import { Retries } from '../control/retries.service';
import { Engine } from '../engine/engine';
import { Gates } from '../engine/gates';
import { MissingRuns } from '../history/missing-runs.service';
import { builtinKinds } from '../nodes/builtin-kinds';
import { NodeKindRegistry } from '../nodes/registry';
import { type Admission, type AdmissionRequest, DeletedWorkspaces, RunAdmission } from '../ports';
import { Runs } from '../runs/runs.service';
import { PlannedLimits, type TestEngine } from './test-engine';

/** An admission with so many runs left, for all workspaces together. */
export class CountedAdmission extends RunAdmission {
  left = Number.POSITIVE_INFINITY;
  /** What happens after the letters and keys are held, before the runs are. */
  meanwhile: () => Promise<void> = () => Promise.resolve();

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  async admit(_tx: unknown, requests: readonly AdmissionRequest[]): Promise<ReadonlyMap<string, Admission>> {
    await this.meanwhile();
    const refusal = { code: 'test.quota', detail: 'Nothing is left.', meta: {} };
    return new Map(
      requests.map(({ workspaceId, runs }) => {
        const granted = Math.min(runs, this.left);
        this.left -= granted;
        return [workspaceId, { granted, refusal: granted < runs ? refusal : null }] as const;
      }),
    );
  }
}

class NothingDeleted extends DeletedWorkspaces {
  isLive(): Promise<boolean> {
    return Promise.resolve(true);
  }

  all(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
}

/** Somebody who works in a workspace. */
export const somebody: Principal = {
  kind: 'user',
  userId: randomUUID(),
  sessionId: randomUUID(),
  via: 'bearer',
};

/** The services by which people command runs, as a process of their own has them. */
export function controlRooms(
  { db }: TestDb,
  { services, effects }: Pick<TestEngine, 'services' | 'effects'>,
) {
  const { clock, ids, logger, hints } = services;
  const admission = new CountedAdmission();
  const kinds = new NodeKindRegistry([...builtinKinds(), effects.kind()]);
  const gates = new Gates(db, clock, logger, new PlannedLimits(), hints);
  const engine = new Engine(db, clock, ids, logger, admission, gates);
  const hooks = new WorkflowHooksRepository();
  const published = new PublishedWorkflows(db, kinds, hooks, new NothingDeleted(), clock, hints);
  const runs = new Runs(db, engine, published, new MissingRuns(new PlannedLimits(), clock), clock);
  const reruns = new Reruns(db, runs, published);
  const letters = new DeadLetters(db, clock, runs, reruns);
  return {
    admission,
    engine,
    gates,
    published,
    runs,
    reruns,
    letters,
    retries: new Retries(db, clock, runs, letters),
    cancelAll: new CancelAll(engine, runs),
    decisions: new Decisions(db, engine, kinds),
    explanations: new Explanations(db, clock),
  };
}
