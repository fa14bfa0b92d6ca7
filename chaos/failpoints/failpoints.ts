import type { Facts } from '../history/facts';
import type { LabServer } from '../lab/lab-server';
import { linesOf } from '../report/report';
import { Lane, type Passage } from './lane';
import { type Point, pointsOf } from './points';

/** As many as there are cores to boot on. */
const LANES = 2;
const TOLD_EVERY = 20;

/** Whose moment it is, of what is interrupted in a running process. */
const INTERRUPTED = {
  run: 'worker',
  'start of a run': 'api',
  'stop of a worker': 'stopping worker',
} as const;

/** How the enumerated part is run. */
export interface FailpointsOptions {
  readonly server: LabServer;
  readonly seed: number;
  readonly program: string;
  /** Breaks the databases first. */
  readonly sql: string | null;
  readonly say: (line: string) => void;
}

/** A point and what was seen there. */
export interface PointResult extends Point {
  readonly reached: boolean;
  /** Promises broken by its run. */
  readonly broken: readonly string[];
}

/** Finds every moment of a small run and lets a process die at each, one run each. */
export async function runFailpoints(options: FailpointsOptions): Promise<readonly PointResult[]> {
  const { server, program, sql, seed, say } = options;
  const numbers = Array.from({ length: LANES }, (_, index) => index + 1);
  const lanes = await Promise.all(
    numbers.map((number) => Lane.open({ server, program, sql, seed: seed + number, name: `lane_${number}` })),
  );
  const points = await tracedBy(lanes[0]);
  say(`${points.length} points found`);
  const waiting = [...points];
  const passed: { readonly point: Point; readonly passage: Passage }[] = [];
  const drive = async (lane: Lane): Promise<void> => {
    for (let point = waiting.shift(); point; point = waiting.shift()) {
      passed.push({ point, passage: await interruptedAt(lane, point) });
      if (passed.length % TOLD_EVERY === 0) say(`${passed.length} of ${points.length} points`);
    }
  };
  await Promise.all(lanes.map(drive));
  const facts = await Promise.all(lanes.map((lane) => lane.close()));
  const broken = brokenByRun(facts);
  const results = passed.map(({ point, passage: { start, reached } }) => {
    const key = keyOf(start);
    const found = broken.get(key) ?? [];
    broken.delete(key);
    return { ...point, reached, broken: found };
  });
  // What is not about the run of a point: of a run that was traced, or of none.
  const others = [...broken.values()].flat();
  if (others.length === 0) return results;
  return [...results, { phase: 'run', name: 'elsewhere', reached: true, broken: others }];
}

function keyOf({ workspaceId, key }: { readonly workspaceId: string; readonly key: string }): string {
  return `${workspaceId} ${key}`;
}

async function tracedBy(lane: Lane | undefined): Promise<readonly Point[]> {
  if (!lane) throw new Error('There is no lane.');
  // The first run fills caches, which later ones find full.
  await lane.trace('worker');
  return [
    ...pointsOf('start of a run', [await lane.trace('api'), await lane.trace('api')]),
    ...pointsOf('run', [await lane.trace('worker'), await lane.trace('worker')]),
    ...pointsOf('start of a worker', [await lane.traceStart(), await lane.traceStart()]),
    ...pointsOf('stop of a worker', [await lane.traceStop(), await lane.traceStop()]),
  ];
}

/** What depends on a timer may not come; it is given a second chance. */
async function interruptedAt(lane: Lane, { phase, name }: Point): Promise<Passage> {
  const attempt = (): Promise<Passage> => {
    if (phase === 'start of a worker') return lane.interruptStart(name);
    return lane.interrupt(INTERRUPTED[phase], name);
  };
  const first = await attempt();
  return first.reached ? first : attempt();
}

/** What breaks a promise, by the run that it was seen at. */
function brokenByRun(all: readonly Facts[]): Map<string, string[]> {
  const broken = new Map<string, string[]>();
  for (const facts of all) {
    for (const { title, findings } of linesOf(facts)) {
      for (const { runId, says } of findings) {
        const run = facts.run.get(runId ?? '');
        const key = run ? keyOf(run) : '';
        broken.set(key, [...(broken.get(key) ?? []), `${title}: ${says}`]);
      }
    }
  }
  return broken;
}
