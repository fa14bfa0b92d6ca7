import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Call, Message } from '../history/history';
import { placeKey } from '../history/place';
import { FAILING } from '../load/graph';
import type { SeededRandom } from '../random';
import { Callbacks } from './callbacks';
import { ownerOfConnection } from './socket-owner';

/** Below it are nodes, and below these their iterations. */
const PATH = '/effects/';

/** Most answers come at once, some take their time: a fault should find calls under way. */
const LATENCIES_MS = [0, 0, 5, 20, 50, 120, 400] as const;
const SLOW_MS = 500;

/** What a call says beside what it passes on. */
interface Said {
  readonly run: string;
  readonly slow?: boolean;
  /** Which node of the run waits to be called, and where. */
  readonly callback?: { readonly nodeId: string; readonly url: string };
}

/**
 * The outside world: every call that comes in is noted with its key, body and sender, and answered with another number,
 * so that a call made twice shows in whatever used its answer. Whoever asks for it is called back.
 */
export class EffectRecorder {
  readonly calls: Call[] = [];
  readonly #senders = new WeakMap<Socket, string>();
  readonly #repeated = new Set<() => void>();
  readonly #seen = new Set<string>();
  readonly #underWay = new Map<string, number>();
  readonly #callbacks: Callbacks;
  #holdsRepeats = false;

  private constructor(
    private readonly server: Server,
    private readonly random: SeededRandom,
    /** Processes that may call, by their numbers. */
    private readonly processes: () => ReadonlyMap<number, string>,
  ) {
    this.#callbacks = new Callbacks(random.fork());
  }

  static async start(
    random: SeededRandom,
    processes: () => ReadonlyMap<number, string>,
  ): Promise<EffectRecorder> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    const recorder = new EffectRecorder(server, random, processes);
    server.on('request', (request, response) => recorder.#receive(request, response));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return recorder;
  }

  /** Where effects go; a node's id follows, and in loops its iteration. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}${PATH.slice(0, -1)}`;
  }

  /** The calls that it made of nodes that wait for them. */
  get callbacks(): readonly Message[] {
    return this.#callbacks.made;
  }

  /**
   * While set, a call that was made before waits for its answer. So the worker that repeats it cannot finish before a
   * frozen one, which has the first answer, goes on: the moment at which a fence is needed.
   */
  holdRepeats(hold: boolean): void {
    this.#holdsRepeats = hold;
    if (hold) return;
    for (const answer of this.#repeated) answer();
    this.#repeated.clear();
  }

  /** How many calls of a process wait for their answer. */
  underWay(process: string): number {
    return this.#underWay.get(process) ?? 0;
  }

  async close(): Promise<void> {
    this.holdRepeats(false);
    await this.#callbacks.stop();
    this.server.closeAllConnections();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  get #port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => this.#note(request, response, Buffer.concat(chunks)));
    // A sender that is killed in the middle has not called.
    request.on('error', () => undefined);
  }

  #note(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const [nodeId = '', iteration = ''] = (request.url ?? '').slice(PATH.length).split('/');
    const { run, slow, callback } = JSON.parse(body.toString('utf8')) as Said;
    const place = { runId: run, nodeId, iteration };
    const answered = this.calls.length + 1;
    const process = this.#senderOf(request.socket);
    this.#count(process, 1);
    response.once('close', () => this.#count(process, -1));
    this.calls.push({
      ...place,
      key: String(request.headers['idempotency-key'] ?? ''),
      bodyHash: createHash('sha256').update(body).digest('hex'),
      number: answered,
      atMs: Date.now(),
      process,
    });
    if (callback) this.#callbacks.make({ ...place, nodeId: callback.nodeId }, callback.url);
    const answer = (): void => {
      response.writeHead(nodeId === FAILING ? 500 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ number: answered }));
    };
    const isRepeat = this.#seen.has(placeKey(place));
    this.#seen.add(placeKey(place));
    if (isRepeat && this.#holdsRepeats) this.#repeated.add(answer);
    else setTimeout(answer, slow ? SLOW_MS : this.random.pick(LATENCIES_MS));
  }

  #count(process: string | null, change: 1 | -1): void {
    if (process !== null) this.#underWay.set(process, this.underWay(process) + change);
  }

  #senderOf(socket: Socket): string | null {
    const known = this.#senders.get(socket);
    if (known !== undefined) return known;
    const { remotePort } = socket;
    if (remotePort === undefined) return null;
    const found = ownerOfConnection({ theirPort: remotePort, ourPort: this.#port }, this.processes());
    if (found !== null) this.#senders.set(socket, found);
    return found;
  }
}
