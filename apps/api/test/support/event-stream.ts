import { eventually } from '#platform/testing';
import type { ApiClient } from './api-client';
import type { Json } from './json';

/** One Server-Sent Event as it came over the wire. */
export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Json;
}

/** Reads a stream of Server-Sent Events. `events` grows while it comes in. */
export class EventReader {
  readonly events: ReceivedEvent[] = [];
  /** Settles when the server has ended the stream; rejects when the connection broke. */
  readonly ended: Promise<void>;

  private constructor(
    body: ReadableStream<Uint8Array>,
    private readonly abort: AbortController,
  ) {
    this.ended = this.#read(body);
    // A test that is over does not wait for it any more.
    this.ended.catch(() => undefined);
  }

  /** Opens a run's stream; `lastEventId` goes on behind that event. */
  static async open(api: ApiClient, path: string, lastEventId?: string): Promise<EventReader> {
    const abort = new AbortController();
    const answer = await fetch(new URL(path, api.url), {
      headers: {
        ...api.credentials(),
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      signal: abort.signal,
    });
    const type = answer.headers.get('content-type') ?? '';
    if (answer.status !== 200 || !type.startsWith('text/event-stream') || !answer.body) {
      throw new Error(`No stream at ${path}: ${answer.status} ${type} ${await answer.text()}`);
    }
    return new EventReader(answer.body, abort);
  }

  /** Waits for an event of a type. */
  received(type: string): Promise<ReceivedEvent> {
    return eventually(() => {
      const found = this.events.find(({ event }) => event === type);
      if (!found) throw new Error(`No ${type} among ${this.events.map(({ event }) => event).join(', ')}.`);
      return found;
    });
  }

  close(): void {
    this.abort.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of body) {
      const blocks = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n\n');
      rest = blocks.pop() ?? '';
      this.events.push(...blocks.flatMap(parsed));
    }
  }
}

/** A block without data (the retry time, a keep-alive) is no event. */
function parsed(block: string): readonly ReceivedEvent[] {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  const data = field('data');
  if (data === undefined) return [];
  return [{ id: field('id') ?? '', event: field('event') ?? '', data: JSON.parse(data) }];
}
