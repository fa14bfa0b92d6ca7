import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** A reader that is this far behind is not reading: it is cut off and comes back with `Last-Event-ID`. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const RETRY_MS = 2_000;
/** Proxies close a connection that is silent for 30 to 60 seconds. */
const KEEP_ALIVE_MS = 15_000;

/** One Server-Sent Event. `data` is written as JSON. */
export interface StreamEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data: unknown;
}

export interface EventStreamOptions {
  /** How long a client waits before it connects again. */
  readonly retryMs?: number;
  readonly keepAliveMs?: number;
  /** Ends the stream in good order when it aborts: `Lifecycle.stopping`. */
  readonly signal?: AbortSignal;
}

/** An open stream of events to one client. */
export interface EventStream {
  /** False when the stream is closed, or was closed now because its reader is too far behind. */
  send(event: StreamEvent): boolean;
  close(): void;
  /** Aborted once the stream has ended, whoever ended it: the place to unsubscribe. */
  readonly closed: AbortSignal;
}

/**
 * Answers with a stream of events. The handler takes `@Res() reply` and returns once it has subscribed. The stream is
 * sent like any other payload, so hooks and headers of the application (CORS, security headers) apply to it.
 */
export function openStream(reply: FastifyReply, options: EventStreamOptions = {}): EventStream {
  const readable = new Readable({ read: () => undefined });
  const ended = new AbortController();
  const close = (): void => {
    if (!ended.signal.aborted) readable.push(null);
    ended.abort();
  };
  const write = (chunk: string): boolean => {
    if (ended.signal.aborted) return false;
    readable.push(chunk);
    if (readable.readableLength + reply.raw.writableLength <= MAX_BUFFERED_BYTES) return true;
    readable.destroy();
    ended.abort();
    return false;
  };
  const heartbeat = setInterval(() => write(': keep-alive\n\n'), options.keepAliveMs ?? KEEP_ALIVE_MS);
  heartbeat.unref();
  ended.signal.addEventListener('abort', () => {
    clearInterval(heartbeat);
    options.signal?.removeEventListener('abort', close);
  });
  // Fastify destroys the payload when the client goes away.
  readable.once('close', () => ended.abort());
  options.signal?.addEventListener('abort', close);

  write(`retry: ${options.retryMs ?? RETRY_MS}\n\n`);
  if (options.signal?.aborted) close();
  void reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-cache, no-transform')
    // nginx would otherwise collect events until its buffer is full.
    .header('x-accel-buffering', 'no')
    .send(readable);
  return { send: (event) => write(encodeEvent(event)), close, closed: ended.signal };
}

/** The wire form of an event. Throws when a field would break out of its line. */
export function encodeEvent({ id, event, data }: StreamEvent): string {
  const fields = [
    ...(id === undefined ? [] : [['id', id]]),
    ...(event === undefined ? [] : [['event', event]]),
  ];
  const lines = fields.map(([name = '', value = '']) => {
    if (/[\r\n]|\p{Cc}/u.test(value))
      throw new Error(`The ${name} of an event cannot hold control characters.`);
    return `${name}: ${value}\n`;
  });
  // JSON has no line breaks of its own, so one data line is enough.
  return `${lines.join('')}data: ${JSON.stringify(data) ?? 'null'}\n\n`;
}
