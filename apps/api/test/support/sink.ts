import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '#platform/testing';
import type { Json } from './json';

/** A call as it came in. `aborted` once the caller went away without having waited for the answer. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json;
  aborted: boolean;
}

type Responder = (call: Call) => unknown;

/** A server that workflows call: records each call, and answers 200 with JSON when a test lets it. */
export class Sink {
  readonly calls: Call[] = [];
  readonly #responders = new Map<string, Responder>();
  readonly #held = new Map<string, { readonly gate: Promise<void>; readonly open: () => void }>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Sink> {
    const server = createServer();
    const sink = new Sink(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const call: Call = {
          method: request.method ?? '',
          path: request.url ?? '',
          headers: request.headers,
          body: text === '' ? null : JSON.parse(text),
          aborted: false,
        };
        sink.calls.push(call);
        response.once('close', () => (call.aborted = !response.writableEnded));
        void sink.#answer(call).then((answer) => {
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
        });
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return sink;
  }

  /** The address of a path. */
  url(path: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  /** Calls of a path, in order. */
  callsOf(path: string): readonly Call[] {
    return this.calls.filter((call) => call.path === path);
  }

  /** What a path answers; `{}` unless told otherwise. */
  respond(path: string, responder: Responder): void {
    this.#responders.set(path, responder);
  }

  /** Keeps the answers of a path back until `release`. */
  hold(path: string): void {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#held.set(path, { gate, open });
  }

  release(path: string): void {
    this.#held.get(path)?.open();
    this.#held.delete(path);
  }

  /** Waits until a path has been called so often, and gives the last call. */
  called(path: string, times = 1): Promise<Call> {
    return eventually(
      () => {
        const call = this.callsOf(path)[times - 1];
        if (!call) throw new Error(`${path} was called ${this.callsOf(path).length} times, not ${times}.`);
        return call;
      },
      { timeoutMs: 20_000 },
    );
  }

  async close(): Promise<void> {
    for (const { open } of this.#held.values()) open();
    this.server.closeAllConnections();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  async #answer(call: Call): Promise<unknown> {
    await this.#held.get(call.path)?.gate;
    return this.#responders.get(call.path)?.(call) ?? {};
  }
}
