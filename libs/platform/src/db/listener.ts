import { Socket } from 'node:net';
import { Client, escapeIdentifier } from 'pg';
import type { Random } from '../ids/random';
import type { Logger } from '../log/logger';

const CHANNEL = /^[a-z][a-z0-9_]{0,62}$/;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
/** How long a server may take to say goodbye. */
const FAREWELL_MS = 1_000;

/** Called with a payload, or with null: something may have been missed, so look for yourself. */
export type NotificationHandler = (payload: string | null) => void;

/** What the listening connection is made of. */
export interface NotificationsOptions {
  readonly url: string;
  readonly random: Random;
  readonly logger: Logger;
  /** How often the connection is asked whether it is alive, and how long it may take to answer. */
  readonly healthEveryMs?: number;
  readonly answerWithinMs?: number;
}

interface Connection {
  readonly client: Client;
  /** Held as well because only its destruction ends a connection whose peer does not answer any more. */
  readonly socket: Socket;
}

/**
 * One connection of this process that listens to PostgreSQL's notifications. They are hints and save latency only: one
 * may be lost with its connection, so after each connecting every handler is called with null, and a sweep must be
 * able to find the same work. Connects at the first `listen`.
 */
export class Notifications {
  readonly #handlers = new Map<string, Set<NotificationHandler>>();
  readonly #logger: Logger;
  readonly #answerWithinMs: number;
  #current: Connection | null = null;
  #connecting: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #phase: 'new' | 'running' | 'stopped' = 'new';
  #failures = 0;

  constructor(private readonly options: NotificationsOptions) {
    this.#logger = options.logger.scoped('notifications');
    this.#answerWithinMs = options.answerWithinMs ?? 5_000;
  }

  /**
   * Calls the handler for every notification on a channel, until the function it returns is called. Handlers must be
   * quick and must not throw. Throws for a channel that is not a plain lower-case identifier.
   */
  listen(channel: string, handler: NotificationHandler): () => void {
    if (!CHANNEL.test(channel)) throw new Error(`"${channel}" cannot name a channel: use a-z, 0-9 and _.`);
    const handlers = this.#handlers.get(channel);
    if (handlers) handlers.add(handler);
    else this.#handlers.set(channel, new Set([handler]));
    if (this.#phase === 'new') {
      this.#phase = 'running';
      this.#connecting = this.#connect();
    } else if (this.#current) void this.#joinLate(this.#current, channel, handler);
    return () => this.#handlers.get(channel)?.delete(handler);
  }

  /** Closes the connection for good. Idempotent. */
  async stop(): Promise<void> {
    this.#phase = 'stopped';
    if (this.#timer) clearTimeout(this.#timer);
    await this.#connecting;
    const connection = this.#current;
    this.#current = null;
    if (connection) await close(connection);
  }

  async #connect(): Promise<void> {
    const connection = this.#open();
    try {
      await connection.client.connect();
      // The iterator is live: it also comes to channels that are added while this waits.
      for (const channel of this.#handlers.keys()) await listenTo(connection, channel);
    } catch (error) {
      abandon(connection);
      this.#retry(error);
      return;
    }
    this.#joined(connection);
  }

  #open(): Connection {
    const socket = new Socket();
    const client = new Client({
      connectionString: this.options.url,
      application_name: 'millrace-listen',
      connectionTimeoutMillis: this.#answerWithinMs,
      query_timeout: this.#answerWithinMs,
      // The kernel's probes find a dead peer in the end; the health question below finds it soon.
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      stream: () => socket,
    });
    const connection = { client, socket };
    client.on('error', (error) => this.#lost(connection, error));
    client.on('end', () => this.#lost(connection, null));
    client.on('notification', ({ channel, payload }) => this.#tell(channel, payload ?? ''));
    return connection;
  }

  #joined(connection: Connection): void {
    // Whoever stops meanwhile waits for this and closes what it finds.
    this.#current = connection;
    if (this.#phase === 'stopped') return;
    if (this.#failures > 0) this.#logger.info('Listening for notifications again.');
    this.#failures = 0;
    this.#askLater(connection);
    for (const channel of this.#handlers.keys()) this.#tell(channel, null);
  }

  /** A channel or handler that came while the connection was there already. */
  async #joinLate(connection: Connection, channel: string, handler: NotificationHandler): Promise<void> {
    try {
      await listenTo(connection, channel);
    } catch (error) {
      this.#lost(connection, error);
      return;
    }
    this.#call(handler, null);
  }

  /** A peer that vanished says nothing, and a listener hears just that: the only way to know is to ask. */
  #askLater(connection: Connection): void {
    this.#timer = setTimeout(() => {
      connection.client.query('select 1').then(
        () => this.#current === connection && this.#askLater(connection),
        (error: unknown) => this.#lost(connection, error),
      );
    }, this.options.healthEveryMs ?? 15_000);
  }

  #lost(connection: Connection, error: unknown): void {
    if (this.#current !== connection) return;
    this.#current = null;
    abandon(connection);
    this.#retry(error);
  }

  #retry(error: unknown): void {
    if (this.#phase === 'stopped') return;
    if (this.#timer) clearTimeout(this.#timer);
    const ceilingMs = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, MAX_BACKOFF_MS);
    const pauseMs = ceilingMs * (0.5 + 0.5 * this.options.random.fraction());
    this.#failures += 1;
    this.#logger.warn('The connection for notifications is lost.', { failuresInARow: this.#failures, error });
    this.#timer = setTimeout(() => {
      this.#connecting = this.#connect();
    }, pauseMs);
  }

  #tell(channel: string, payload: string | null): void {
    for (const handler of this.#handlers.get(channel) ?? []) this.#call(handler, payload);
  }

  #call(handler: NotificationHandler, payload: string | null): void {
    try {
      handler(payload);
    } catch (error) {
      this.#logger.error('A handler of notifications threw.', { error });
    }
  }
}

async function listenTo({ client }: Connection, channel: string): Promise<void> {
  await client.query(`listen ${escapeIdentifier(channel)}`);
}

/** Drops a connection that is broken; what it still says is of no interest. */
function abandon({ client, socket }: Connection): void {
  client.removeAllListeners('error').on('error', () => undefined);
  socket.destroy();
}

/** Takes leave of the server, so that it logs no broken connection, but does not wait for a silent one. */
async function close(connection: Connection): Promise<void> {
  const farewell = connection.client.end().catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise((resolve) => {
    timer = setTimeout(resolve, FAREWELL_MS);
  });
  await Promise.race([farewell, silence]);
  clearTimeout(timer);
  abandon(connection);
}
