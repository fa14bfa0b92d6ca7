import { eventually } from '#platform/testing';
import { factsOf, type Facts } from '../history/facts';
import type { Fault, GraphFacts, History, Message } from '../history/history';
import { readLeft, readRecorded } from '../history/read-history';
import { nodeFactsOf } from '../load/definition';
import { type Graph, withCalled } from '../load/graph';
import type { Customer } from './customers';
import type { EffectRecorder } from './effect-recorder';
import { type FleetHistory, LEASE_MS, SLOTS } from './fleet';
import type { LabDatabase } from './lab-server';
import type { Load } from './load';

/** Everything that a history is gathered from once the load has come to rest. */
export interface Gathered {
  readonly database: LabDatabase;
  readonly fleet: { readonly history: FleetHistory; readonly living: number; stop(): Promise<void> };
  readonly recorder: Pick<EffectRecorder, 'calls' | 'callbacks'>;
  /** What people said of attempts that were interrupted. */
  readonly decisions: readonly Message[];
  readonly customers: readonly Customer[];
  readonly load: Load;
  readonly faults: readonly Fault[];
  /** Whether clocks could be moved. */
  readonly clock: boolean;
}

/** Reads everything that is judged, and stops the fleet in good order in between, to see what it leaves. */
export async function gather({
  database,
  fleet,
  recorder,
  decisions,
  customers,
  load,
  ...injected
}: Gathered): Promise<Facts> {
  await funerals(database, fleet.living);
  const recorded = await readRecorded(database);
  await fleet.stop();
  const graphs = new Map(
    customers
      .flatMap(({ workflows }) => workflows.flatMap(({ graph }) => withCalled(graph)))
      .map((graph): [string, GraphFacts] => [graph.name, graphFacts(graph, load)]),
  );
  const history: History = {
    ...recorded,
    ...fleet.history,
    graphs,
    starts: load.starts,
    calls: recorder.calls,
    messages: [...recorder.callbacks, ...decisions],
    ...injected,
    left: await readLeft(database),
    slots: SLOTS,
  };
  return factsOf(history);
}

/** Waits until those that were killed last are declared dead, too. One who never is will be seen among what is left. */
async function funerals(database: LabDatabase, living: number): Promise<void> {
  const registered = async (): Promise<void> => {
    const [row] = await database.rows<{ count: number }>('select count(*)::int as count from engine_workers');
    if (row && row.count > living)
      throw new Error(`${row.count} workers are registered, and ${living} live.`);
  };
  await eventually(registered, { timeoutMs: 4 * LEASE_MS, everyMs: 100 }).catch(() => undefined);
}

function graphFacts(graph: Graph, { asked }: Load): GraphFacts {
  const own = asked.filter((one) => one.graph === graph);
  return {
    name: graph.name,
    expected: new Map(own.map(({ input }) => [input.key, graph.expected(input)])),
    nodes: nodeFactsOf(graph.definition({ effectUrl: '', calledId: '' })),
  };
}
