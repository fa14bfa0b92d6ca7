import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A request as the echo server was sent it. */
export interface Echoed {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Every way in which the server says again what it was sent. */
const WAYS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  json: (text) => JSON.stringify(text),
  base64: (text) => Buffer.from(text).toString('base64'),
  shifted: (text) => Buffer.from(`.${text}`).toString('base64'),
  shiftedTwice: (text) => Buffer.from(`..${text}`).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  percent: encodeURIComponent,
  lowerPercent: (text) => encodeURIComponent(text).replace(/%../g, (escape) => escape.toLowerCase()),
  form: (text) => new URLSearchParams([['', text]]).toString(),
  hex: (text) => Buffer.from(text).toString('hex'),
  HEX: (text) => Buffer.from(text).toString('hex').toUpperCase(),
  html: (text) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`),
};

/**
 * A server that answers with all it was sent, in every encoding. What it does besides is said by its path: `/fail` answers
 * 500 with so much before it that the answer is cut in the middle of it, `/redirect` leads to an address with it, `/bytes`
 * answers with bytes that are no text.
 */
export class EchoServer {
  readonly requests: Echoed[] = [];
  /** Called, and waited for, before each answer. */
  beforeAnswer: () => Promise<void> = () => Promise.resolve();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<EchoServer> {
    const server = createServer();
    const echo = new EchoServer(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const sent: Echoed = { method, url, headers, body: Buffer.concat(chunks).toString() };
        echo.requests.push(sent);
        const { status, headers: answered, body } = answerTo(sent);
        void echo.beforeAnswer().then(() => response.writeHead(status, answered).end(body));
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return echo;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** All that it was sent to a path, as one text. */
  sentTo(path: string): string {
    return JSON.stringify(this.requests.filter(({ url }) => url.startsWith(path)));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }
}

interface Answered {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: string | Buffer;
}

/** The texts of a request that may hold what is not to be told: each by itself, as a server would have parsed it. */
function textsOf({ url, headers, body }: Echoed): readonly string[] {
  const query = [...new URL(url, 'http://echo').searchParams.values()];
  const credentials = (headers.authorization ?? '').split(' ').at(1) ?? '';
  const parsed: unknown = body.startsWith('{') ? JSON.parse(body) : body;
  const fields = typeof parsed === 'object' && parsed !== null ? Object.values(parsed).map(String) : [body];
  const decoded = Buffer.from(credentials, 'base64').toString();
  const named = Object.entries(headers)
    .filter(([name]) => name.startsWith('x-'))
    .map(([, value]) => String(value));
  return [...query, ...named, credentials, decoded, ...fields].filter((text) => text.length > 3);
}

function answerTo(sent: Echoed): Answered {
  const texts = textsOf(sent);
  const echoed = texts.map((text) =>
    Object.fromEntries(Object.entries(WAYS).map(([way, say]) => [way, say(text)])),
  );
  const safe = texts.map((text) => encodeURIComponent(text)).join('&');
  const headers = {
    'content-type': 'application/json',
    'x-echo': texts.map((text) => Buffer.from(text).toString('base64')).join(' '),
    'x-echo-latin1': texts.map((text) => text.replace(/[^\u0020-\u007e]/g, '')).join(' '),
    'set-cookie': [`echo=${safe}; Path=/`, 'other=1'],
  };
  const all = JSON.stringify({ sent, echoed });
  if (sent.url.startsWith('/redirect')) {
    return { status: 302, headers: { ...headers, location: `/landed?${safe}#${safe}` }, body: all };
  }
  if (sent.url.startsWith('/fail')) {
    // The cut at 2,000 characters goes through the middle of the first text.
    const [first = ''] = texts;
    const before = 'x'.repeat(2_000 - Math.ceil(first.length / 2));
    return { status: 500, headers: { ...headers, 'content-type': 'text/plain' }, body: before + first + all };
  }
  if (sent.url.startsWith('/bytes')) {
    const body = Buffer.concat([Buffer.from([0, 255, 254]), Buffer.from(all), Buffer.from([253])]);
    return { status: 200, headers: { ...headers, 'content-type': 'application/octet-stream' }, body };
  }
  return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: gzipSync(all) };
}

/** The forms in which any of these texts stands in another one, or in what stands there in base64. */
export function foundIn(text: string, wanted: readonly string[]): readonly string[] {
  const encoded = text.match(/[A-Za-z0-9+/]{40,}={0,2}/g) ?? [];
  const decoded = encoded.map((digits) => Buffer.from(digits, 'base64').toString('latin1'));
  const small = [text, ...decoded].join('\n').toLowerCase();
  return wanted.flatMap(formsOf).filter((form) => small.includes(form));
}

/** Every form of a text that must be found nowhere, in small letters. */
function formsOf(text: string): readonly string[] {
  const bytes = [Buffer.from(text), Buffer.from(JSON.stringify(text).slice(1, -1))];
  const shifted = [0, 1, 2].flatMap((before) =>
    bytes.map((each) => {
      const digits = Buffer.concat([Buffer.alloc(before), each])
        .toString('base64')
        .replace(/=+$/, '');
      // Digits at the ends may hold bits of what stands beside.
      return digits.slice(Math.ceil((before * 8) / 6), -1);
    }),
  );
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    new URLSearchParams([['', text]]).toString().slice(1),
    text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`),
    ...shifted,
    ...shifted.map((digits) => digits.replaceAll('+', '-').replaceAll('/', '_')),
    ...bytes.map((each) => each.toString('hex')),
    // What is left of one that was cut through.
    ...(text.length >= 24 ? [text.slice(0, 12), text.slice(-12)] : []),
  ].map((form) => form.toLowerCase());
}
