import type { Connection, History, Write } from './history';

/** A time during which a worker had a run. `toMs` is infinite for one that never let go. */
export interface Tenure {
  readonly runId: string;
  readonly workerId: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A worker as the database knew it: from its registration until its row went. */
export interface WorkerLife {
  readonly workerId: string;
  readonly process: string | null;
  /** Order number and time at which its row was deleted, by itself or by whoever declared it dead. */
  readonly goneSeq: number;
  readonly goneMs: number;
}

/** A write by somebody who had no right to it. */
export interface Trespass {
  readonly write: Write;
  readonly process: string | null;
  readonly why: string;
}

/** Who had which run when, and who wrote without having it. */
export interface Ownership {
  readonly workers: ReadonlyMap<string, WorkerLife>;
  readonly tenures: ReadonlyMap<string, readonly Tenure[]>;
  readonly trespasses: readonly Trespass[];
  /** The process behind a write; null when its connection is not known. */
  processOf(write: Write): string | null;
}

/** Goes through all that was written, in order. */
export function ownershipOf(history: Pick<History, 'writes' | 'connections' | 'processes'>): Ownership {
  const processOf = attribution(history.connections);
  const workers = workerLives(history.writes, processOf);
  const apis = new Set(history.processes.filter(({ role }) => role === 'api').map(({ name }) => name));
  const walk = new OwnershipWalk(workers, processOf, apis);
  for (const transaction of transactionsOf(history.writes)) walk.pass(transaction);
  return { workers, tenures: walk.tenures(), trespasses: walk.trespasses, processOf };
}

/** Clocks of the lab and of the database are one, read a moment apart. */
const READ_APART_MS = 5;

function attribution(connections: readonly Connection[]): (write: Write) => string | null {
  const byPort = new Map<number, Connection[]>();
  for (const connection of connections.toSorted((one, other) => one.fromMs - other.fromMs)) {
    byPort.set(connection.port, [...(byPort.get(connection.port) ?? []), connection]);
  }
  return ({ port, atMs }) =>
    byPort.get(port ?? -1)?.findLast(({ fromMs }) => fromMs <= atMs + READ_APART_MS)?.process ?? null;
}

function workerLives(
  writes: readonly Write[],
  processOf: (write: Write) => string | null,
): ReadonlyMap<string, WorkerLife> {
  const lives = new Map<string, WorkerLife>();
  for (const write of writes) {
    if (write.table !== 'worker' || write.workerId === null) continue;
    const { workerId } = write;
    const known = lives.get(workerId);
    if (write.op === 'INSERT') {
      lives.set(workerId, { workerId, process: processOf(write), goneSeq: Infinity, goneMs: Infinity });
    } else if (write.op === 'DELETE' && known) {
      lives.set(workerId, { ...known, goneSeq: write.seq, goneMs: write.atMs });
    }
  }
  return lives;
}

/** The writes of each transaction together, in the order in which the transactions began to write. */
function transactionsOf(writes: readonly Write[]): Iterable<readonly Write[]> {
  const found = new Map<string, Write[]>();
  for (const write of writes.toSorted((one, other) => one.seq - other.seq)) {
    const others = found.get(write.transaction);
    if (others) others.push(write);
    else found.set(write.transaction, [write]);
  }
  return found.values();
}

class OwnershipWalk {
  readonly trespasses: Trespass[] = [];
  readonly #owners = new Map<string, string>();
  readonly #open = new Map<string, Tenure>();
  readonly #ended: Tenure[] = [];

  constructor(
    private readonly workers: ReadonlyMap<string, WorkerLife>,
    private readonly processOf: (write: Write) => string | null,
    private readonly apis: ReadonlySet<string>,
  ) {}

  /** Judges the writes of a transaction by who owned the runs before it, then notes the changes of owners it made. */
  pass(transaction: readonly Write[]): void {
    for (const write of transaction) {
      const why = write.table === 'queue' ? this.#whyNotMoved(write) : this.#whyNotRecorded(write);
      if (why !== null) this.trespasses.push({ write, process: this.processOf(write), why });
    }
    for (const write of transaction) if (write.table === 'queue') this.#note(write);
  }

  tenures(): ReadonlyMap<string, readonly Tenure[]> {
    const byRun = new Map<string, Tenure[]>();
    const all = [...this.#ended, ...this.#open.values()];
    for (const tenure of all.toSorted((one, other) => one.fromMs - other.fromMs)) {
      const others = byRun.get(tenure.runId);
      if (others) others.push(tenure);
      else byRun.set(tenure.runId, [tenure]);
    }
    return byRun;
  }

  /** Results, events and outcomes are written by the owner, who is alive; of a run without one by the API, to cancel it. */
  #whyNotRecorded(write: Write): string | null {
    const { runId, table, op } = write;
    if (runId === null || table === 'worker' || (table === 'run' && op === 'INSERT')) return null;
    const owner = this.#owners.get(runId);
    const process = this.processOf(write);
    if (owner === undefined) {
      return process !== null && this.apis.has(process) ? null : 'wrote to a run that nobody had';
    }
    return this.#whyNotAs(owner, process, write.seq);
  }

  #whyNotMoved(write: Write): string | null {
    const { workerId, formerWorkerId, seq } = write;
    const process = this.processOf(write);
    if (workerId !== null && workerId !== formerWorkerId) return this.#whyNotAs(workerId, process, seq);
    if (formerWorkerId === null || workerId === formerWorkerId) return null;
    const former = this.workers.get(formerWorkerId);
    // Its own worker lets go of a run, and of a dead one's everybody may.
    if (!former || former.goneSeq < seq) return null;
    if (process !== null && former.process === process) return null;
    return 'took a run from a worker that was alive';
  }

  #whyNotAs(workerId: string, process: string | null, seq: number): string | null {
    const worker = this.workers.get(workerId);
    if (!worker) return `wrote as worker ${workerId}, which was never registered`;
    if (worker.goneSeq < seq) return 'wrote after its worker was declared dead';
    return process !== null && worker.process === process
      ? null
      : `wrote to a run of ${worker.process ?? 'an unknown process'}`;
  }

  #note({ runId, workerId, atMs }: Write): void {
    if (runId === null || this.#owners.get(runId) === (workerId ?? undefined)) return;
    const open = this.#open.get(runId);
    if (open) this.#ended.push({ ...open, toMs: atMs });
    this.#open.delete(runId);
    this.#owners.delete(runId);
    if (workerId === null) return;
    this.#owners.set(runId, workerId);
    this.#open.set(runId, { runId, workerId, fromMs: atMs, toMs: Infinity });
  }
}
