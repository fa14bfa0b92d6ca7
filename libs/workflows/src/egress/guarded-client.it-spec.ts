import { setInterval } from 'node:timers/promises';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { AddressLookup } from './connector';
import type { EgressResult } from './egress-result';
import {
  aClient,
  anHttpServer,
  aSignal,
  aTcpServer,
  closeLab,
  get,
  LOOPBACK,
  MIB,
  names,
  peersDialledBy,
  told,
} from './testing/client-lab';

afterEach(closeLab);

describe('refusals', () => {
  it('opens no socket for any spelling of a refused literal', async () => {
    let connections = 0;
    const port = await aTcpServer(() => {
      connections += 1;
    });
    const client = aClient({});
    const hosts = [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0x7f.0.0.1',
      '0177.0.0.1',
      '017700000001',
      '127.0.0.1.',
      '%31%32%37.0.0.1',
      '127。0。0。1',
      '①②⑦.⓪.⓪.①',
      '0',
      '0.0.0.0',
      '[::]',
      '[::1]',
      '[0:0::1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::127.0.0.1]',
      '[64:ff9b::127.0.0.1]',
      '[2002:7f00:1::]',
      '169.254.169.254',
      '10.0.0.1',
      '172.16.0.1',
      '192.168.1.1',
      '100.64.0.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '[fe80::1]',
      '[fc00::1]',
    ];
    const peers = await peersDialledBy(async () => {
      for (const host of hosts) {
        expect([host, (await get(client, `http://${host}:${port}/`)).kind]).toEqual([host, 'blocked']);
      }
    });
    expect([peers, connections]).toEqual([[], 0]);
  });

  it('lets the same client reach the server once its range is allowed, so the test above can fail', async () => {
    const origin = await anHttpServer((_request, response) => response.end('hi'));
    let result: EgressResult | undefined;
    const peers = await peersDialledBy(async () => {
      result = await get(aClient(), origin);
    });
    expect([peers, result && told(result)]).toEqual([['127.0.0.1'], '200 hi']);
  });

  it('refuses localhost as the real resolver answers it', async () => {
    expect((await get(aClient({}), 'http://localhost:8080/')).kind).toBe('blocked');
    expect((await get(aClient({}), 'http://LOCALHOST:8080/')).kind).toBe('blocked');
  });

  it('refuses a name with one private address among public ones', async () => {
    const client = aClient({ lookup: names({ 'mixed.test': ['8.8.8.8', '10.0.0.1'] }) });
    let result: EgressResult | undefined;
    const peers = await peersDialledBy(async () => {
      result = await get(client, 'http://mixed.test/');
    });
    expect([result && told(result), peers]).toEqual(['blocked address.private', []]);
  });

  it('shows what was refused without query, user or password', async () => {
    const result = await get(aClient({}), 'http://10.0.0.1/path?token=secret#x');
    expect(result).toMatchObject({ kind: 'blocked', rule: 'address.private', url: 'http://10.0.0.1/path' });
    expect(JSON.stringify(await get(aClient({}), 'http://me:secret@10.0.0.1/'))).not.toContain('secret');
  });

  it.each([
    ['not a url', 'failed invalid_request'],
    ['http://[fe80::1%25eth0]/', 'failed invalid_request'],
    ['gopher://example.com/', 'blocked scheme'],
    ['http://8.8.8.8:25/', 'blocked port'],
  ])('answers %s with %s', async (url, expected) => {
    expect(told(await get(aClient({}), url))).toBe(expected);
  });

  it('refuses headers that would reframe the request, before anything is sent', async () => {
    const peers = await peersDialledBy(async () => {
      const headers: Record<string, string>[] = [
        { host: 'x' },
        { 'X-A': 'a\r\nHost: b' },
        { 'Transfer-Encoding': 'chunked' },
      ];
      for (const header of headers) {
        expect(told(await get(aClient(), 'http://127.0.0.1:8080/', { headers: header }))).toBe(
          'failed invalid_request',
        );
      }
    });
    expect(peers).toEqual([]);
  });
});

describe('pinning', () => {
  it('dials what it judged: a name that rebinds is asked once', async () => {
    const origin = await anHttpServer((request, response) => response.end(request.headers.host));
    const { port } = new URL(origin);
    const answers = ['127.0.0.1', '10.0.0.1'];
    const asked: string[] = [];
    const lookup: AddressLookup = async (hostname) => {
      asked.push(hostname);
      return [{ address: answers[asked.length - 1] ?? '10.0.0.1', family: 4 }];
    };
    const result = await get(aClient({ ...LOOPBACK, lookup }), `http://rebind.test:${port}/`);
    expect([told(result), asked]).toEqual([`200 rebind.test:${port}`, ['rebind.test']]);
  });

  it('does not reach 127.0.0.1 when the first answer was public and the second would be loopback', async () => {
    let connections = 0;
    const port = await aTcpServer(() => {
      connections += 1;
    });
    let asked = 0;
    // 240.0.0.1 stands for a public address nobody answers on: reserved, opened here, unreachable everywhere.
    const lookup: AddressLookup = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '240.0.0.1' : '127.0.0.1', family: 4 }];
    };
    const client = aClient({ allowPrivateCidrs: ['240.0.0.0/4'], lookup });
    const peers = await peersDialledBy(async () => {
      const result = await get(client, `http://rebind.test:${port}/`, { timeoutMs: 1_000 });
      expect(result.kind).toBe('failed');
    });
    expect([peers, asked, connections]).toEqual([['240.0.0.1'], 1, 0]);
  });

  it('tries the next judged address when the first does not answer', async () => {
    const origin = await anHttpServer((_request, response) => response.end('second'));
    const lookup = names({ 'two.test': ['127.0.0.2', '127.0.0.1'] });
    const result = await get(aClient({ ...LOOPBACK, lookup }), `http://two.test:${new URL(origin).port}/`);
    expect(told(result)).toBe('200 second');
  });

  it('names the host, not the address, in the TLS handshake', async () => {
    const hello = aSignal<Buffer>();
    const port = await aTcpServer((socket) => {
      socket.once('data', (data) => {
        hello.resolve(data);
        socket.end('HTTP/1.1 400 This is not TLS\r\n\r\n');
      });
    });
    const client = aClient({ ...LOOPBACK, lookup: names({ 'api.tls.test': ['127.0.0.1'] }) });
    expect(told(await get(client, `https://api.tls.test:${port}/`))).toBe('failed tls');
    expect((await hello.promise).includes('api.tls.test')).toBe(true);
  });

  it('keeps connections for the requests that follow', async () => {
    const origin = await anHttpServer((_request, response) => response.end('ok'));
    const client = aClient();
    const peers = await peersDialledBy(async () => {
      for (let i = 0; i < 10; i += 1) expect(told(await get(client, origin))).toBe('200 ok');
    });
    // The second request may come before the first connection is free again; after that both are there.
    expect(peers.length).toBeLessThanOrEqual(2);
  });
});

describe('redirects', () => {
  it('judges each hop anew', async () => {
    let secretReads = 0;
    const secret = await anHttpServer((_request, response) => {
      secretReads += 1;
      response.end('secret');
    });
    const inner = secret.replace('127.0.0.1', '127.0.0.9');
    const origin = await anHttpServer((_request, response) => {
      response.writeHead(302, { location: `${inner}/admin?key=1` }).end();
    });
    const result = await get(aClient({ allowPrivateCidrs: ['127.0.0.1/32'] }), origin);
    expect(result).toMatchObject({ kind: 'blocked', rule: 'address.loopback', url: `${inner}/admin` });
    expect(secretReads).toBe(0);
  });

  it.each([
    ['file:///etc/passwd', 'blocked scheme'],
    ['http://u:p@127.0.0.1/', 'blocked credentials'],
    ['http://127.0.0.1:6379/', 'blocked port'],
    ['http://[::1]/', 'blocked address.loopback'],
    ['http://rebind.test/', 'blocked address.metadata'],
    ['http://[', 'failed bad_response'],
  ])('meets Location: %s with %s', async (location, expected) => {
    const origin = await anHttpServer((_request, response) => response.writeHead(307, { location }).end());
    const lookup = names({ 'rebind.test': ['169.254.169.254'] });
    expect(told(await get(aClient({ ...LOOPBACK, lookup }), origin))).toBe(expected);
  });

  it('closes the connection of an answer it gives up on', async () => {
    const closed = aSignal<void>();
    const origin = await anHttpServer((_request, response) => {
      response.on('close', () => closed.resolve());
      response.writeHead(302, { location: 'http://[' }).write('never finished');
    });
    expect(told(await get(aClient(), origin))).toBe('failed bad_response');
    await closed.promise;
  });

  it('gives up on a loop, after exactly the hops it was given', async () => {
    let asked = 0;
    const origin = await anHttpServer((_request, response) => {
      asked += 1;
      response.writeHead(302, { location: '/again' }).end();
    });
    expect(told(await get(aClient(), origin, { maxRedirects: 3 }))).toBe('failed redirect_loop');
    expect(asked).toBe(4);
  });

  it('follows to the end and tells where that was, or not at all', async () => {
    const origin = await anHttpServer((request, response) => {
      if (request.url === '/end') response.end('there');
      else response.writeHead(301, { location: '/end' }).end('moved');
    });
    expect(await get(aClient(), `${origin}/start`)).toMatchObject({
      status: 200,
      url: `${origin}/end`,
      redirects: 1,
    });
    expect(told(await get(aClient(), `${origin}/start`, { followRedirects: false }))).toBe('301 moved');
  });

  it('does not wait for the body of a redirect', async () => {
    const origin = await anHttpServer((request, response) => {
      if (request.url === '/end') response.end('there');
      else response.writeHead(302, { location: '/end' }).write('never finished');
    });
    expect(told(await get(aClient(), origin))).toBe('200 there');
  });

  it('carries method and body over a 307, and credentials to the same origin only', async () => {
    const seen: object[] = [];
    const end = await anHttpServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { authorization, cookie, 'x-tenant': tenant } = request.headers;
      seen.push({
        method: request.method,
        body: Buffer.concat(chunks).toString(),
        authorization,
        cookie,
        tenant,
      });
      response.end('ok');
    });
    const start = await anHttpServer((request, response) => {
      const location = request.url === '/start' ? '/middle' : `${end}/x`;
      seen.push({ url: request.url, authorization: request.headers.authorization });
      request.resume().on('end', () => response.writeHead(307, { location }).end());
    });
    await get(aClient(), `${start}/start`, {
      method: 'POST',
      headers: { authorization: 'Bearer t', Cookie: 'c', 'X-Tenant': 'acme' },
      body: 'payload',
    });
    expect(seen).toEqual([
      { url: '/start', authorization: 'Bearer t' },
      { url: '/middle', authorization: 'Bearer t' },
      { method: 'POST', body: 'payload', authorization: undefined, cookie: undefined, tenant: 'acme' },
    ]);
  });
});

describe('limits', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
  ])('decodes %s', async (coding, compress) => {
    const origin = await anHttpServer((request, response) => {
      expect(request.headers['accept-encoding']).toBe('gzip, deflate, br');
      response.writeHead(200, { 'content-encoding': coding }).end(compress(Buffer.from('héllo')));
    });
    expect(told(await get(aClient(), origin))).toBe('200 héllo');
  });

  it('decodes codings applied one upon the other', async () => {
    const body = brotliCompressSync(gzipSync('twice'));
    const origin = await anHttpServer((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip, br' }).end(body),
    );
    expect(told(await get(aClient(), origin))).toBe('200 twice');
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(64 * MIB), { level: 1 })],
    ['gzip, gzip', gzipSync(gzipSync(Buffer.alloc(64 * MIB), { level: 1 }))],
    ['br', brotliCompressSync(Buffer.alloc(64 * MIB), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ['deflate', deflateSync(Buffer.alloc(64 * MIB), { level: 1 })],
  ])('stops a %s bomb early', async (coding, bomb) => {
    const origin = await anHttpServer((_request, response) =>
      response.writeHead(200, { 'content-encoding': coding }).end(bomb),
    );
    const before = process.memoryUsage.rss();
    expect(told(await get(aClient(), origin))).toBe('failed too_large');
    expect(process.memoryUsage.rss() - before).toBeLessThan(48 * MIB);
  });

  it.each([
    ['gzip', 'not gzip at all'],
    ['gzip', gzipSync('cut short').subarray(0, 15)],
    ['zstd', 'x'],
    ['gzip,gzip,gzip,gzip', 'x'],
  ])('calls a damaged or unknown %s answer bad', async (coding, body) => {
    const origin = await anHttpServer((_request, response) =>
      response.writeHead(200, { 'content-encoding': coding }).end(body),
    );
    expect(told(await get(aClient(), origin))).toBe('failed bad_response');
  });

  it('takes a body of exactly the limit and refuses one byte more, announced or not', async () => {
    const origin = await anHttpServer((request, response) => {
      const body = Buffer.alloc(Number(request.url?.slice(2)), 'x');
      if (request.url?.startsWith('/c')) response.flushHeaders();
      else response.setHeader('content-length', body.length);
      response.end(body);
    });
    const kinds = await Promise.all(
      ['/a1000', '/a1001', '/c1000', '/c1001'].map(async (path) => {
        const result = await get(aClient(), origin + path, { maxResponseBytes: 1_000 });
        return result.kind === 'failed' ? result.code : result.kind;
      }),
    );
    expect(kinds).toEqual(['response', 'too_large', 'response', 'too_large']);
  });

  it('closes an endless answer at the limit', async () => {
    const closed = aSignal<void>();
    const origin = await anHttpServer((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const pump = () => {
        while (response.write(chunk));
      };
      response.on('drain', pump).on('close', () => closed.resolve());
      pump();
    });
    expect(told(await get(aClient(), origin))).toBe('failed too_large');
    await closed.promise;
  });

  it('ends a body that drips for ever at the deadline', async () => {
    const closed = aSignal<void>();
    const origin = await anHttpServer(async (_request, response) => {
      response.on('close', () => closed.resolve());
      for await (const _ of setInterval(20)) {
        if (response.destroyed) return;
        response.write('.');
      }
    });
    const result = await get(aClient(), origin, { timeoutMs: 1_000 });
    expect(result).toMatchObject({
      kind: 'failed',
      code: 'timeout',
      message: expect.stringContaining('did not finish'),
    });
    await closed.promise;
  });

  it.each(['asks', 'resolves'])('ends at the deadline while it %s', async (stage) => {
    const port = await aTcpServer(() => undefined);
    const client =
      stage === 'asks' ? aClient() : aClient({ lookup: () => new Promise<never>(() => undefined) });
    const url = stage === 'asks' ? `http://127.0.0.1:${port}/` : 'http://slow.test/';
    const result = await get(client, url, { timeoutMs: 100 });
    expect(result).toMatchObject({
      kind: 'failed',
      code: 'timeout',
      message: expect.stringContaining('did not begin'),
    });
  });

  it('sends nothing after its deadline, even when the connection opens later', async () => {
    let received = 0;
    const port = await aTcpServer((socket) => {
      socket.on('data', () => {
        received += 1;
      });
    });
    const gate = aSignal<void>();
    const lookup: AddressLookup = async () => {
      await gate.promise;
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const client = aClient({ ...LOOPBACK, lookup });
    const late = await get(client, `http://late.test:${port}/`, {
      method: 'POST',
      body: 'pay',
      timeoutMs: 50,
    });
    gate.resolve();
    // A request that is allowed to run shows that the late connection has had its turn.
    const ready = await anHttpServer((_request, response) => response.end('ok'));
    await get(client, ready);
    expect([told(late), received]).toEqual(['failed timeout', 0]);
  });

  it('refuses headers beyond 32 KiB', async () => {
    const port = await aTcpServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n');
        for (let i = 0; i < 100; i += 1) socket.write(`x-${i}: ${'a'.repeat(1_000)}\r\n`);
      });
    });
    expect(told(await get(aClient(), `http://127.0.0.1:${port}/`))).toBe('failed too_large');
  });

  it('gives up when its run is stopped, before and during', async () => {
    const controller = new AbortController();
    const origin = await anHttpServer(() => controller.abort());
    expect(told(await get(aClient(), origin, { signal: controller.signal }))).toBe('failed aborted');
    const peers = await peersDialledBy(async () => {
      expect(told(await get(aClient(), origin, { signal: controller.signal }))).toBe('failed aborted');
    });
    expect(peers).toEqual([]);
  });

  it('gives up what is under way when it is closed', async () => {
    const asked = aSignal<void>();
    const origin = await anHttpServer(() => asked.resolve());
    const client = aClient();
    const result = get(client, origin);
    await asked.promise;
    await client.close();
    expect(told(await result)).toBe('failed aborted');
  });
});

describe('hostile answers', () => {
  const rawAnswer = async (answer: string): Promise<EgressResult> => {
    const port = await aTcpServer((socket) => {
      socket.once('data', () => socket.end(answer));
    });
    return get(aClient(), `http://127.0.0.1:${port}/`);
  };

  it('takes header names that are properties of every object', async () => {
    const result = await rawAnswer(
      'HTTP/1.1 200 OK\r\n__proto__: a\r\n__proto__: b\r\nconstructor: c\r\ntoString: d\r\ncontent-length: 2\r\n\r\nok',
    );
    expect(result).toMatchObject({ kind: 'response', status: 200 });
    const headers = result.kind === 'response' ? [...result.headers] : [];
    expect(headers).toEqual([
      ['__proto__', ['a', 'b']],
      ['constructor', ['c']],
      ['tostring', ['d']],
      ['content-length', ['2']],
    ]);
  });

  it.each([
    ['SSH-2.0-OpenSSH_9.2\r\n', 'failed bad_response'],
    ['HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort', 'failed connection_lost'],
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab', 'failed connection_lost'],
    ['HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 'failed bad_response'],
    ['HTTP/1.1 200 OK\r\nbad header\r\n\r\n', 'failed bad_response'],
    [
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      'failed connection_lost',
    ],
    ['', 'failed connection_lost'],
  ])('names %j a %s', async (answer, expected) => {
    expect(told(await rawAnswer(answer))).toBe(expected);
  });

  it('names what the network does', async () => {
    const port = await aTcpServer(() => undefined);
    await closeLab();
    expect(told(await get(aClient(), `http://127.0.0.1:${port}/`))).toBe('failed connect');
    expect(told(await get(aClient({ lookup: names({}) }), 'http://nowhere.test/'))).toBe('failed dns');
    const failing: AddressLookup = () => Promise.reject(new Error('SERVFAIL'));
    expect(told(await get(aClient({ lookup: failing }), 'http://nowhere.test/'))).toBe('failed dns');
  });
});
