import { createServer, connect, type Server, type Socket, type AddressInfo } from 'node:net';
import type { Connection } from '../history/history';
import type { SeededRandom } from '../random';

/**
 * What happens to the connections of a process. `held`: nothing arrives, as through a cable that is out. `slow`: each
 * way takes longer. `reply-lost`: what a commit answers is dropped with the connection, so that it is done and nobody
 * knows. `request-lost`: the same before the database has seen it.
 */
export type Line =
  | { readonly kind: 'open' | 'held' }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'reply-lost' | 'request-lost'; readonly share: number };

/** What commits by itself, or commits all before it: statements by their names, and the end of a transaction. */
const COMMITS = ['checkpoint\0', 'claim-queued\0', 'claim-due\0', 'COMMIT\0'].map((text) =>
  Buffer.from(text),
);

/** The way of one process to the database, on which its connections can be disturbed and are known by their ports. */
export class DatabaseProxy {
  /** Every connection there was. */
  readonly connections: Connection[] = [];
  /** Commits whose answer, or whose request, was dropped. */
  readonly dropped = { replies: 0, requests: 0 };
  readonly #pairs = new Set<Pair>();
  /** Whoever connects next. */
  process = '';
  #line: Line = { kind: 'open' };

  private constructor(
    private readonly server: Server,
    private readonly random: SeededRandom,
  ) {}

  static async start(databasePort: number, random: SeededRandom): Promise<DatabaseProxy> {
    const server = createServer();
    const proxy = new DatabaseProxy(server, random);
    server.on('connection', (client) => proxy.#join(client, databasePort));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get line(): Line {
    return this.#line;
  }

  /** From now on, for connections that are there and those that come. */
  set line(line: Line) {
    this.#line = line;
    for (const pair of this.#pairs) pair.hold(line.kind === 'held');
  }

  /** Resets every connection. */
  cut(): void {
    for (const pair of this.#pairs) pair.end();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  /** Whether to lose the answer, or the request, of this commit. */
  loses(kind: 'reply-lost' | 'request-lost', chunk: Buffer): boolean {
    const line = this.#line;
    if (line.kind !== kind || !COMMITS.some((name) => chunk.includes(name))) return false;
    return this.random.fraction() < line.share;
  }

  #join(client: Socket, databasePort: number): void {
    const { process } = this;
    const database = connect(databasePort, '127.0.0.1');
    database.once('connect', () => {
      const port = database.localPort;
      if (port !== undefined) this.connections.push({ port, process, fromMs: Date.now() });
    });
    const pair = new Pair(client, database, this);
    this.#pairs.add(pair);
    pair.hold(this.#line.kind === 'held');
    client.once('close', () => this.#pairs.delete(pair));
  }
}

/** The two ends of one connection. */
class Pair {
  #losesReply = false;

  constructor(
    private readonly client: Socket,
    private readonly database: Socket,
    private readonly proxy: DatabaseProxy,
  ) {
    client.setNoDelay(true);
    database.setNoDelay(true);
    client.on('data', (chunk: Buffer) => this.#ask(chunk));
    database.on('data', (chunk: Buffer) => this.#answer(chunk));
    for (const socket of [client, database]) {
      socket.on('error', () => this.end());
      socket.on('close', () => this.end());
    }
  }

  hold(held: boolean): void {
    for (const socket of [this.client, this.database]) {
      if (held) socket.pause();
      else socket.resume();
    }
  }

  end(): void {
    this.client.destroy();
    this.database.destroy();
  }

  #ask(chunk: Buffer): void {
    if (this.proxy.loses('request-lost', chunk)) {
      this.proxy.dropped.requests += 1;
      this.end();
      return;
    }
    if (this.proxy.loses('reply-lost', chunk)) this.#losesReply = true;
    this.#pass(this.database, chunk);
  }

  #answer(chunk: Buffer): void {
    if (this.#losesReply) {
      this.proxy.dropped.replies += 1;
      this.end();
      return;
    }
    this.#pass(this.client, chunk);
  }

  #pass(to: Socket, chunk: Buffer): void {
    const { line } = this.proxy;
    // Timers of one duration fire in order; while the line gets faster again one packet may overtake, and TCP's order
    // would be broken: so the delay is the sockets' own, by pausing, and not the packets'.
    if (line.kind === 'slow') this.#passLater(to, chunk, line.delayMs);
    else if (!to.destroyed) to.write(chunk);
  }

  #passLater(to: Socket, chunk: Buffer, delayMs: number): void {
    const from = to === this.client ? this.database : this.client;
    from.pause();
    setTimeout(() => {
      if (!to.destroyed) to.write(chunk);
      if (this.proxy.line.kind !== 'held') from.resume();
    }, delayMs);
  }
}
