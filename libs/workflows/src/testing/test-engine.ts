import { type Db, KeyRing, Keys } from '#platform';
import { type TestServices, testServices } from '#platform/testing';
import { CellEngine } from '../engine/cell-engine';
import { Engine } from '../engine/engine';
import type { Gatekeeper } from '../engine/gatekeeper';
import { Gates } from '../engine/gates';
import { RunStarter, type StartRequest, type StartResult } from '../engine/run-starter';
import { builtinKinds } from '../nodes/builtin-kinds';
import type { NodeKind } from '../nodes/node-kind';
import { NodeKindRegistry } from '../nodes/registry';
import {
  type Admission,
  type AdmissionRequest,
  RunAdmission,
  RunLimits,
  type WorkspaceRunLimits,
} from '../ports';
import { SecretValues } from '../secrets/secret-values.service';
import { CalledDirectly } from './called-directly';
import type { PublishedWorkflow } from './a-published-workflow';
import { ScriptedEffects } from './scripted-effects';

/** For `useTestDb`: a worker that did not stop in good order is a leak. */
export const heldLeases = `select 'lease of worker ' || id as leak from engine_workers`;

/** An admission without quota, for tests of the engine alone. */
class OpenAdmission extends RunAdmission {
  prepare(): Promise<void> {
    return Promise.resolve();
  }

  admit(_tx: unknown, requests: readonly AdmissionRequest[]): Promise<ReadonlyMap<string, Admission>> {
    const all = requests.map(
      ({ workspaceId, runs }) => [workspaceId, { granted: runs, refusal: null }] as const,
    );
    return Promise.resolve(new Map(all));
  }
}

/** Plans that a test sets; without limits until it does. */
export class PlannedLimits extends RunLimits {
  readonly plans = new Map<string, Partial<WorkspaceRunLimits>>();

  constructor(private readonly usual: Partial<WorkspaceRunLimits> = {}) {
    super();
  }

  of(workspaceIds: readonly string[]): Promise<ReadonlyMap<string, WorkspaceRunLimits>> {
    return Promise.resolve(
      new Map(
        workspaceIds.map((id) => [
          id,
          {
            planName: 'Test',
            concurrentRuns: null,
            concurrentRunsPerWorkflow: null,
            startsPerFiveMinutes: null,
            retentionDays: 365,
            historyBytes: null,
            ...this.usual,
            ...this.plans.get(id),
          },
        ]),
      ),
    );
  }

  retentionClasses(): readonly number[] {
    return [365];
  }
}

/** The ring of every test engine, so that tests can seal what engines are to open. */
export function testRing({ random }: Pick<TestServices, 'random'>): KeyRing {
  return new KeyRing(new Keys(Buffer.alloc(32, 7)), [], random);
}

/** How a start differs from the plainest one. */
type StartOptions = Partial<Omit<StartRequest, keyof PublishedWorkflow>>;

/** A worker of its own, as a process would be one, with the door for starting runs. */
export interface TestEngine {
  readonly engine: CellEngine;
  readonly effects: ScriptedEffects;
  readonly services: TestServices;
  readonly gatekeeper: Gatekeeper;
  start(
    workflow: PublishedWorkflow,
    input?: unknown,
    key?: { readonly key: string; readonly requestHashHex: string },
  ): Promise<StartResult>;
  /** The engine's door on the same database. */
  readonly door: Engine;
  /** A start that says more. */
  startWith(workflow: PublishedWorkflow, options: StartOptions): Promise<StartResult>;
  /** Stops in good order. */
  drain(): Promise<void>;
  /** Stops at once and gives nothing back, as a killed process would. */
  die(): Promise<void>;
}

/** Starts a worker on a database. `admission`, `limits` and `effects` may be shared between several. */
export async function startTestEngine(
  db: Db,
  databaseUrl: string,
  options: {
    readonly cellId?: string;
    readonly effects?: ScriptedEffects;
    readonly admission?: RunAdmission;
    readonly limits?: RunLimits;
    readonly environment?: Readonly<Record<string, string>>;
    readonly idle?: 'idle';
    /** Kinds beside the built-in ones and `test.effect`. */
    readonly kinds?: (services: TestServices) => readonly NodeKind[];
  } = {},
): Promise<TestEngine> {
  const cellId = options.cellId ?? 'cell_1';
  const services = testServices(databaseUrl, { WORKER_LEASE_SECONDS: '2', ...options.environment });
  const effects = options.effects ?? new ScriptedEffects();
  const kinds = new NodeKindRegistry([
    ...builtinKinds(),
    effects.kind(),
    ...(options.kinds?.(services) ?? []),
  ]);
  const { clock, ids, logger, hints } = services;
  const admission = options.admission ?? new OpenAdmission();
  const gates = new Gates(db, clock, logger, options.limits ?? new PlannedLimits(), hints);
  const gatekeeper = gates.of(cellId);
  gates.onAdmitted(() => engine.wake());
  // oxlint-disable-next-line prefer-const -- the starter wakes the engine that calls through it
  let engine: CellEngine;
  const starter = new RunStarter(
    {
      ...services,
      db,
      admission,
      limits: gates.limitsOf(cellId),
      gatekeeper,
      started: () => engine.wake(),
    },
    cellId,
  );
  const children = new CalledDirectly(db, cellId, starter);
  const callbackUrl = ({ runId }: { readonly runId: string }, nodeId: string, iteration: string) =>
    `https://test.example/resume/${runId}/${nodeId}/${iteration}`;
  const secretValues = new SecretValues(db, testRing(services), clock, logger);
  engine = new CellEngine(
    { ...services, db, kinds, children, callbackUrl, gatekeeper, secretValues },
    cellId,
  );
  engine.start();
  if (options.idle !== 'idle') services.loops.start();
  const door = new Engine(db, clock, ids, logger, admission, gates);
  const startWith = (workflow: PublishedWorkflow, startOptions: StartOptions) =>
    starter.start({
      ...workflow,
      triggerNode: 'start',
      triggerKind: 'trigger.manual',
      startedBy: 'user:test',
      input: '{}',
      idempotency: null,
      ...startOptions,
    });
  return {
    engine,
    door,
    effects,
    services,
    gatekeeper,
    start: (workflow, input = {}, key) =>
      startWith(workflow, { input: JSON.stringify(input), idempotency: key ?? null }),
    startWith,
    drain: async () => {
      await engine.drain(5_000);
      await services.stop();
    },
    die: async () => {
      await services.stop();
      await gatekeeper.idle();
    },
  };
}
