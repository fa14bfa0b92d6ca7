import { setTimeout as delay } from 'node:timers/promises';
import { Injector } from './faults/injector';
import { planFaults } from './faults/plan';
import type { Facts } from './history/facts';
import { signUpCustomers } from './lab/customers';
import { Decider } from './lab/decider';
import { EffectRecorder } from './lab/effect-recorder';
import { FakeClock, fakeTimeLibrary } from './lab/fake-clock';
import { Fleet } from './lab/fleet';
import { gather } from './lab/gather';
import type { LabServer } from './lab/lab-server';
import { Load } from './lab/load';
import { comeToRest } from './lab/rest';
import { graphs } from './load/graphs';
import { SeededRandom } from './random';

/** How the random part is run. */
export interface KillsOptions {
  readonly server: LabServer;
  readonly seed: number;
  readonly kills: number;
  readonly runs: number;
  readonly workers: number;
  readonly program: string;
  /** Breaks the database first. */
  readonly sql: string | null;
  readonly say: (line: string) => void;
  /** Ends the faults early; what there is then comes to rest and is judged. */
  readonly signal: AbortSignal;
}

/** Runs that are started ahead of what the kills have come to: enough that every worker has its hands full. */
const AHEAD = 60;
const NOBODY_MS = 100;
const TOLD_EVERY = 20;

/** Kills, freezes, cuts and moves clocks at random under a load, until all is done; and gives what there is to judge. */
export async function runKills(options: KillsOptions): Promise<Facts> {
  const { server, program, workers, say } = options;
  const random = new SeededRandom(options.seed);
  const library = fakeTimeLibrary();
  if (library === null) say('libfaketime is not installed: no clock is moved (apt-get install libfaketime).');
  const clock = library === null ? undefined : new FakeClock(server.folder, library);
  const database = await server.createDatabase('lab_kills', options.sql);
  const databasePort = server.port;
  const fleet = await Fleet.make({ database, databasePort, workers, random, program, clock });
  const recorder = await EffectRecorder.start(random.fork(), () => fleet.processes);
  let decider: Decider | null = null;
  try {
    await fleet.start();
    const customers = await signUpCustomers(fleet.url, { count: 3, effectUrl: recorder.url, graphs });
    const load = new Load(customers, random.fork());
    decider = new Decider(customers);
    const startRuns = (count: number): void => {
      // While nobody accepts them, more would only pile up.
      if (load.open < count) load.want(count);
    };
    const injector = new Injector({
      server,
      database,
      fleet,
      recorder,
      clock,
      random: random.fork(),
      startRuns,
    });
    await disturb(options, {
      load,
      injector,
      plan: planFaults(random, { ...options, clock: clock !== undefined }),
    });
    fleet.heal();
    await load.idle();
    await fleet.ready();
    await comeToRest(database);
    await decider.stop();
    return await gather({
      database,
      fleet,
      recorder,
      decisions: decider.decisions,
      customers,
      load,
      faults: injector.faults,
      clock: clock !== undefined,
    });
  } finally {
    await decider?.stop();
    await fleet.stop();
    await fleet.close();
    await recorder.close();
  }
}

/** Goes through the plan, and keeps the load ahead of it. */
async function disturb(
  { kills, runs, say, signal }: KillsOptions,
  {
    load,
    injector,
    plan,
  }: { readonly load: Load; readonly injector: Injector; readonly plan: ReturnType<typeof planFaults> },
): Promise<void> {
  let killed = 0;
  const startUpTo = (count: number): void => load.want(Math.min(runs, count) - load.wanted);
  startUpTo(AHEAD);
  for (const { afterMs, fault } of plan) {
    await delay(afterMs);
    while (!signal.aborted && !(await injector.inject(fault))) await delay(NOBODY_MS);
    if (signal.aborted) break;
    if (fault.kind !== 'kill worker' && fault.kind !== 'kill api') continue;
    killed += 1;
    startUpTo(AHEAD + Math.ceil((runs * killed) / kills));
    if (killed % TOLD_EVERY === 0) say(`${killed} of ${kills} kills, ${load.accepted} runs accepted`);
  }
  if (signal.aborted) say(`Interrupted after ${killed} of ${kills} kills: judged is what there was.`);
  else startUpTo(runs);
  await injector.idle();
}
