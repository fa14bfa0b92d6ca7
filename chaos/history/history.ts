import type { Place } from './place';

/** A start that the lab's client asked for, again and again under one key until it was answered. */
export interface Start {
  readonly key: string;
  readonly workspaceId: string;
  readonly askedAtMs: number;
  /** Runs that answers with a 2xx named. Empty: none came, and nothing was accepted as far as the client knows. */
  readonly runIds: readonly string[];
  /** Attempts without an answer, or with one that asked to come back. */
  readonly unanswered: number;
}

/** A call that came in at the effect recorder. */
export interface Call extends Place {
  /** Its `Idempotency-Key`; empty when it had none. */
  readonly key: string;
  readonly bodyHash: string;
  /** What it was answered: another number for each call. */
  readonly number: number;
  readonly atMs: number;
  /** The process that sent it; null when that could not be seen. */
  readonly process: string | null;
}

/** A message for a node that waited for one: a call of its address, or what a person said of an attempt. */
export interface Message extends Place {
  readonly kind: 'callback' | 'decision';
  /** What it said: another number for each message, which the node is to give as its output. */
  readonly number: number;
  /** When it was answered that it counts; null when it was told that it does not, or nothing. */
  readonly acceptedAtMs: number | null;
}

export interface RunRow {
  readonly id: string;
  readonly workspaceId: string;
  /** The key of its start, which the lab puts into the input; of a called one made of its caller's. */
  readonly key: string;
  readonly outcome: string | null;
  readonly errorCode: string | null;
}

export interface NodeRow extends Place {
  readonly status: string;
  /** The number that an effect was answered or a message said; null for other nodes. */
  readonly number: number | null;
  /** The run that it called; null for other nodes. */
  readonly calledRunId: string | null;
}

/** The events of one checkpoint. */
export interface EventRow {
  readonly runId: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly types: readonly string[];
}

/** A row that was written, as the observer's triggers saw it. */
export interface Write {
  /** Ascending. What waited for a lock of another transaction comes after all of that one. */
  readonly seq: number;
  readonly transaction: string;
  /** Before its commit, by the database's clock. */
  readonly atMs: number;
  /** The port its connection came from. */
  readonly port: number | null;
  readonly table: 'run' | 'node' | 'events' | 'queue' | 'worker';
  readonly op: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly runId: string | null;
  readonly nodeId: string | null;
  readonly iteration: string | null;
  /** Of a node its status, of a run its outcome, of a place in the queue its state. */
  readonly status: string | null;
  /** In `queue`: the owner from now on. In `worker`: whose row it is. */
  readonly workerId: string | null;
  /** In `queue`: the owner until now. */
  readonly formerWorkerId: string | null;
  readonly resumeAtMs: number | null;
}

/** One life of a process of ours. `name` is unique: a slot and the number of the life. */
export interface ProcessLife {
  readonly name: string;
  readonly role: 'api' | 'worker';
  readonly endedAtMs: number | null;
}

/** A process that ended although nobody asked it to. */
export interface Collapse {
  readonly process: string;
  /** Whether it took part already. A start may fail while the database is away. */
  readonly wasReady: boolean;
  readonly lastWords: string;
}

/** A connection to the database, by the port the database saw. Ports are used again by later ones. */
export interface Connection {
  readonly port: number;
  readonly process: string;
  readonly fromMs: number;
}

/** A fault that was injected. */
export interface Fault {
  readonly kind: string;
  /** The process it hit; null for one that hit all. */
  readonly process: string | null;
  readonly atMs: number;
}

/** Everything that is judged. What the checks read is here and nowhere else. */
export interface History {
  readonly graphs: ReadonlyMap<string, GraphFacts>;
  readonly starts: readonly Start[];
  readonly calls: readonly Call[];
  readonly messages: readonly Message[];
  readonly runs: readonly RunRow[];
  readonly nodes: readonly NodeRow[];
  readonly events: readonly EventRow[];
  readonly writes: readonly Write[];
  readonly processes: readonly ProcessLife[];
  readonly collapses: readonly Collapse[];
  readonly connections: readonly Connection[];
  readonly faults: readonly Fault[];
  /** Commits that were done and whose answer was dropped; commits that were dropped before they were done. */
  readonly dropped: { readonly replies: number; readonly requests: number };
  /** Whether clocks could be moved. */
  readonly clock: boolean;
  /** What is left in the queue, and the workers that are registered, after all processes were stopped in good order. */
  readonly left: { readonly runs: readonly string[]; readonly workers: readonly string[] };
  readonly usage: readonly { readonly workspaceId: string; readonly used: number }[];
  /** Runs one worker holds at most. */
  readonly slots: number;
}

/** What is known beforehand of the runs of a graph. */
export interface GraphFacts {
  readonly name: string;
  /** By the key of the run, for the outcome may depend on the input. */
  readonly expected: ReadonlyMap<string, Expectation>;
  readonly nodes: ReadonlyMap<string, NodeFacts>;
}

/** How a run ends when nothing is lost, whatever happens to the processes. */
export interface Expectation {
  readonly outcome: string;
  /** Of every place that there is a record of, by its name: those in loops once for each item. */
  readonly statuses: Readonly<Record<string, string>>;
  /** Seconds that places wait. */
  readonly delays: Readonly<Record<string, number>>;
  /** Keys of the runs that it calls. */
  readonly calls: readonly string[];
}

export interface NodeFacts {
  /** Whether its output is what somebody outside answered it. */
  readonly answered: boolean;
  /** Never to be repeated without being asked. */
  readonly unsafe: boolean;
  /** Whether it runs another workflow. */
  readonly calls: boolean;
  /** The loops around it, the outermost first. */
  readonly loops: readonly string[];
  /** Nodes that have a recorded result before this one may begin, in every item that there is of them for this one. */
  readonly after: readonly string[];
}
