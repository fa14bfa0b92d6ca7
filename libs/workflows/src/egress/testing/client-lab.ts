import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer, type RequestListener, type Server } from 'node:http';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import type { AddressLookup } from '../connector';
import type { EgressRequest, EgressResult } from '../egress-result';
import { EgressClient, type EgressClientOptions } from '../guarded-client';
import { TestWorkspaces } from './test-workspaces';

/** What lets a client reach the servers of a test. */
export const LOOPBACK = { allowPrivateCidrs: ['127.0.0.0/8'] };
export const MIB = 1024 * 1024;

const cleanups: (() => Promise<unknown>)[] = [];

/** Ends every client and server of a test. */
export async function closeLab(): Promise<void> {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
}

/** A client, unless told otherwise of workspaces without policies. */
export function aClient(options: Partial<EgressClientOptions> = LOOPBACK): EgressClient {
  const client = new EgressClient({ ...new TestWorkspaces().options, ...options });
  cleanups.push(() => client.close());
  return client;
}

async function listening(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A real HTTP server; resolves to its origin. */
export async function anHttpServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  const port = await listening(server);
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${port}`;
}

/** A server of raw bytes, for answers no HTTP library would give; resolves to its port. */
export async function aTcpServer(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  const port = await listening(server);
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return port;
}

/** A promise that the other side of a test settles. */
export function aSignal<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** The addresses this process dials in plain TCP while `work` runs: the proof that a refusal touches no network. */
export async function peersDialledBy(work: () => Promise<unknown>): Promise<string[]> {
  const peers: string[] = [];
  const watch = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    socket.on('connectionAttempt', (address: string) => peers.push(address));
  };
  subscribe('net.client.socket', watch);
  try {
    await work();
  } finally {
    unsubscribe('net.client.socket', watch);
  }
  return peers;
}

/** A request of a node in some workspace. */
export function get(
  client: EgressClient,
  url: string,
  { workspaceId = 'some', ...more }: Partial<EgressRequest> & { readonly workspaceId?: string } = {},
): Promise<EgressResult> {
  const context = { workspaceId, runId: 'run', nodeId: 'call', iteration: '', mask: (text: string) => text };
  return client.request({ context, method: 'GET', url, timeoutMs: 5_000, maxResponseBytes: MIB, ...more });
}

/** What a result says in one line, so that a failed expectation shows all of it. */
export function told(result: EgressResult): string {
  switch (result.kind) {
    case 'response':
      return `${result.status} ${result.body.toString()}`;
    case 'blocked':
      return `blocked ${result.rule}`;
    case 'failed':
      return `failed ${result.code}`;
  }
}

/** A resolver that knows these names. */
export const names =
  (table: Record<string, readonly string[]>): AddressLookup =>
  async (hostname) =>
    (table[hostname] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
