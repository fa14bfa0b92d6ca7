import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '#platform/testing';
import { ROOT } from '../../apps/api/test/support/built-application';
import { freePort } from '../../apps/api/test/support/free-port';
import type { Facts } from '../history/facts';
import type { Collapse, Fault, Start } from '../history/history';
import { type Customer, signUpCustomers } from '../lab/customers';
import { DatabaseProxy } from '../lab/database-proxy';
import { EffectRecorder } from '../lab/effect-recorder';
import { installation } from '../lab/fleet';
import { gather } from '../lab/gather';
import type { LabDatabase, LabServer } from '../lab/lab-server';
import { Load } from '../lab/load';
import { type Life, Member } from '../lab/member';
import { smallGraph } from '../load/plain-graphs';
import { SeededRandom } from '../random';

const PRELOAD = join(ROOT, 'chaos/preload/failpoints.cjs');
/** A run takes a second; one that has not ended by then is stuck. */
const FINISHED_WITHIN_MS = 15_000;

/** A worker that listens has registered and swept by then. */
const REGISTERED_WITHIN_MS = 8_000;
/** Moments behind the end of a run (its last answer, a sweep) come within so long, or never. */
const SWEPT_WITHIN_MS = 1_200;

/** What every worker does soon after it has started, whether there are runs or not. */
const FIRST_SWEEPS = ['register-worker', 'heartbeat-worker', 'rescue-runs', 'deliver-signals'] as const;

/** What a lane is made of. */
export interface LaneOptions {
  readonly server: LabServer;
  readonly name: string;
  readonly program: string;
  readonly sql: string | null;
  readonly seed: number;
}

/** Two places of one role: in one the process that is interrupted, in the other the one that stands by. */
interface Relay {
  readonly places: readonly [Member, Member];
  active: Member;
}

/** What came of a run in which a process was to end at a moment. */
export interface Passage {
  readonly start: Start;
  readonly reached: boolean;
}

/**
 * An installation in a database of its own, in which one run after the other is started and one process after the
 * other dies at a given moment of it. Whoever stood by finishes the run, and is the next to die.
 */
export class Lane {
  readonly #faults: Fault[] = [];
  readonly #collapses: Collapse[] = [];

  private constructor(
    private readonly database: LabDatabase,
    private readonly recorder: EffectRecorder,
    private readonly apis: Relay,
    private readonly workers: Relay,
    private readonly load: Load,
    private readonly customers: readonly Customer[],
  ) {}

  static async open({ server, name, program, sql, seed }: LaneOptions): Promise<Lane> {
    const random = new SeededRandom(seed);
    const database = await server.createDatabase(`lab_${name}`, sql);
    const shared = installation();
    const place = async (slot: string, own: Readonly<Record<string, string>>): Promise<Member> => {
      const proxy = await DatabaseProxy.start(server.port, random.fork());
      return new Member({
        slot: `${name}-${slot}`,
        role: own['ROLES'] === 'api' ? 'api' : 'worker',
        proxy,
        program,
        preload: PRELOAD,
        supervised: false,
        environment: { ...shared, ...own, DATABASE_URL: database.urlBy(proxy.port) },
      });
    };
    const api = async (slot: string) => place(slot, { ROLES: 'api', PORT: String(await freePort()) });
    const apis = relay([await api('api-1'), await api('api-2')]);
    const workers = relay([
      await place('worker-1', { ROLES: 'worker' }),
      await place('worker-2', { ROLES: 'worker' }),
    ]);
    const members = [...apis.places, ...workers.places];
    const recorder = await EffectRecorder.start(random.fork(), () => processesOf(members));
    for (const { active } of [apis, workers]) await takesPart(active.start());
    const customers = await signUpCustomers(urlOf(apis.active), {
      count: 1,
      effectUrl: recorder.url,
      graphs: [smallGraph],
    });
    return new Lane(database, recorder, apis, workers, new Load(customers, random.fork()), customers);
  }

  /** Lets one run pass and tells every moment of it, in the order in which they came. */
  async trace(role: 'api' | 'worker'): Promise<readonly string[]> {
    const { active } = this.#relay(role);
    const points = toldBy(active.current);
    tell(active, { do: 'arm', tells: true });
    await this.#pass();
    tell(active, { do: 'arm' });
    return points;
  }

  /** Lets a worker start and tells its moments, its first sweeps included. */
  async traceStart(): Promise<readonly string[]> {
    const place = standbyOf(this.workers);
    const life = place.start({ CHAOS_TELLS: 'true' });
    const points = toldBy(life);
    await takesPart(life);
    await eventually(
      () => {
        const missing = FIRST_SWEEPS.find(
          (name) => !points.some((point) => point.startsWith(`after ${name} `)),
        );
        if (missing !== undefined) throw new Error(`A worker that starts has not come to ${missing}.`);
      },
      { timeoutMs: REGISTERED_WITHIN_MS },
    );
    await kill(place);
    return points;
  }

  /** Asks the active worker to stop while it has a run, and tells its moments; the other one takes over. */
  async traceStop(): Promise<readonly string[]> {
    const { active } = this.workers;
    const points = toldBy(active.current);
    tell(active, { do: 'arm', tells: true });
    await this.interrupt('stopping worker', 'none');
    return points;
  }

  /** One run in which the active process of a role dies at a moment; the other one takes over. */
  async interrupt(who: 'api' | 'worker' | 'stopping worker', point: string): Promise<Passage> {
    const role = who === 'api' ? 'api' : 'worker';
    const relay = this.#relay(role);
    const victim = relay.active;
    const standby = standbyOf(relay);
    const starting = standby.start();
    if (point !== 'none') tell(victim, { do: 'arm', point });
    if (role === 'api') await takesPart(starting);
    const server = () => urlOf(role === 'api' && !victim.isAlive ? standby : this.apis.active);
    const start = await this.#start(server);
    tell(this.workers.active, { do: 'open' });
    if (who === 'stopping worker') void victim.stop();
    const reached = await this.#ends(victim, start);
    await takesPart(starting);
    if (reached) this.#faults.push({ kind: `kill ${role}`, process: victim.current.name, atMs: Date.now() });
    else if (victim.isAlive) await kill(victim);
    relay.active = standby;
    await this.#finish(start);
    return { start, reached };
  }

  /** A worker that dies at a moment of its start, with a run that waits for one. */
  async interruptStart(point: string): Promise<Passage> {
    const place = standbyOf(this.workers);
    const life = place.start({ CHAOS_LAST_POINT: point });
    const reached = await Promise.race([
      life.process.ended.then(() => true),
      delay(REGISTERED_WITHIN_MS, false),
    ]);
    if (reached) this.#faults.push({ kind: 'kill worker', process: life.name, atMs: Date.now() });
    else await kill(place);
    return { start: await this.#pass(), reached };
  }

  /** Everything that is judged. */
  async close(): Promise<Facts> {
    const members = [...this.apis.places, ...this.workers.places];
    const fleet = {
      living: 1,
      history: {
        dropped: { replies: 0, requests: 0 },
        processes: members.flatMap(({ lives }) => lives),
        collapses: this.#collapses,
        connections: members.flatMap(({ options }) => options.proxy.connections),
      },
      stop: async () => {
        // A worker that stops waits for a claim under way, and that waits for the gate.
        tell(this.workers.active, { do: 'open' });
        await Promise.all(members.map((member) => member.stop()));
      },
    };
    const { database, recorder, customers, load } = this;
    const facts = await gather({
      database,
      fleet,
      recorder,
      decisions: [],
      customers,
      load,
      faults: this.#faults,
      clock: false,
    });
    await Promise.all(members.map(({ options }) => options.proxy.close()));
    await recorder.close();
    return facts;
  }

  #relay(role: 'api' | 'worker'): Relay {
    return role === 'api' ? this.apis : this.workers;
  }

  #start(url: () => string): Promise<Start> {
    return this.load.startOne(url);
  }

  /** A run that nothing disturbs. */
  async #pass(): Promise<Start> {
    const start = await this.#start(() => urlOf(this.apis.active));
    await this.#finish(start);
    return start;
  }

  /** Whether the process died at its moment. One that ends in any other way without being asked is a finding. */
  async #ends(victim: Member, start: Start): Promise<boolean> {
    while (victim.isAlive && !(await this.#isOver(start))) await delay(20);
    if (victim.isAlive) await Promise.race([victim.current.process.ended, delay(SWEPT_WITHIN_MS)]);
    if (victim.isAlive) return false;
    const { signal, code } = await victim.current.process.ended;
    if (signal === 'SIGKILL') return true;
    const lastWords = `exit code ${code}: ${victim.current.process.output.slice(-1_500)}`;
    if (code !== 0) this.#collapses.push({ process: victim.current.name, wasReady: true, lastWords });
    return false;
  }

  /** Lets the active worker finish the run; the lease of the dead is over at once. */
  async #finish(start: Start): Promise<void> {
    await this.#ageTheDead();
    tell(this.workers.active, { do: 'open' });
    await eventually(
      async () => {
        if (!(await this.#isOver(start))) throw new Error('It is not over.');
      },
      { timeoutMs: FINISHED_WITHIN_MS },
    ).catch(() => undefined);
    tell(this.workers.active, { do: 'close' });
  }

  /** The lease of a process that has ended runs out as if its time had passed. */
  async #ageTheDead(): Promise<void> {
    const { pid } = this.workers.active.current.process;
    await this.database.rows(
      `update engine_workers set lease_until = now() - interval '1 second' where pid <> $1`,
      [pid],
    );
  }

  async #isOver({ key }: Start): Promise<boolean> {
    const rows = await this.database.rows(
      `select from workflow_runs where input ->> 'key' = $1 and outcome is not null`,
      [key],
    );
    return rows.length > 0;
  }
}

function relay(places: readonly [Member, Member]): Relay {
  return { places, active: places[0] };
}

function standbyOf({ places, active }: Relay): Member {
  return places[0] === active ? places[1] : places[0];
}

function urlOf(api: Member): string {
  return `http://127.0.0.1:${api.options.environment['PORT']}`;
}

/** What a process tells of its moments, as it comes. */
function toldBy(life: Life): readonly string[] {
  const points: string[] = [];
  life.process.onTold((message) => points.push((message as { readonly point: string }).point));
  return points;
}

function tell(member: Member, message: object): void {
  member.current.process.tell(message);
}

async function takesPart(life: Life): Promise<void> {
  if (!(await life.ready)) throw new Error(`${life.name} did not start:\n${life.process.output}`);
}

async function kill(member: Member): Promise<void> {
  await member.current.process.kill('SIGKILL');
}

function processesOf(members: readonly Member[]): ReadonlyMap<number, string> {
  const alive = members.filter((member) => member.isAlive);
  return new Map(alive.map(({ current }) => [current.process.pid, current.name]));
}
