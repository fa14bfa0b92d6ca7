import type { Json } from './json';

/** What the server answered. `body` is the parsed JSON, or null where there is none. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
  readonly text: string;
}

/** A small HTTP client: JSON in, JSON out, as one principal or as nobody. */
export class ApiClient {
  constructor(
    readonly url: string,
    private readonly token: string | null = null,
  ) {}

  /** The same server as somebody else. */
  as(token: string | null): ApiClient {
    return new ApiClient(this.url, token);
  }

  /** The same principal at another process. */
  at(url: string): ApiClient {
    return new ApiClient(url, this.token);
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  post(path: string, json: unknown = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', path, { body: JSON.stringify(json), headers: { ...JSON_TYPE, ...headers } });
  }

  put(path: string, json: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('PUT', path, { body: JSON.stringify(json), headers: { ...JSON_TYPE, ...headers } });
  }

  /** Sends exactly what it is given, with the credentials. */
  async send(method: string, path: string, init: Omit<RequestInit, 'method'> = {}): Promise<Answer> {
    const answer = await fetch(new URL(path, this.url), {
      ...init,
      method,
      headers: { ...this.credentials(), ...(init.headers as Record<string, string> | undefined) },
    });
    const type = answer.headers.get('content-type') ?? '';
    const text = type.startsWith('text/event-stream') ? await beginningOf(answer) : await answer.text();
    const isJson = /[/+]json\b/.test(type);
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : null, text };
  }

  credentials(): Record<string, string> {
    return this.token === null ? {} : { authorization: `Bearer ${this.token}` };
  }
}

/** Of a stream, which may go on for ever, what comes first. */
async function beginningOf({ body }: Response): Promise<string> {
  if (!body) return '';
  const reader = body.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value as Uint8Array | undefined);
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** The answer's body, when the status is the expected one; else an error that shows the answer. */
export function expectStatus({ status, body, text }: Answer, expected: number): Json {
  if (status !== expected)
    throw new Error(`Expected status ${expected}, got ${status}: ${text.slice(0, 2_000)}`);
  return body;
}
