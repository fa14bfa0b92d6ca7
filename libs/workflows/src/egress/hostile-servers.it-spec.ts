import type { Socket } from 'node:net';
import { setInterval } from 'node:timers/promises';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
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

/** Writes a piece now and then, until the other side has had enough; resolves when it closes. */
async function aDrippingServer(first: string, piece: string) {
  const closed = aSignal<void>();
  const port = await aTcpServer((socket) => {
    socket.on('close', () => closed.resolve());
    socket.once('data', async () => {
      socket.write(first);
      for await (const _ of setInterval(20)) {
        if (socket.destroyed) return;
        socket.write(piece);
      }
    });
  });
  return { url: `http://127.0.0.1:${port}/`, closed: closed.promise };
}

/** Writes pieces as fast as they are taken, without end. */
async function aFloodingServer(first: string, piece: string) {
  const closed = aSignal<void>();
  const port = await aTcpServer((socket) => {
    socket.on('close', () => closed.resolve());
    socket.once('data', () => {
      socket.write(first);
      pump(socket, piece);
      socket.on('drain', () => pump(socket, piece));
    });
  });
  return { url: `http://127.0.0.1:${port}/`, closed: closed.promise };
}

function pump(socket: Socket, piece: string): void {
  while (!socket.destroyed && socket.write(piece));
}

describe('slow servers', () => {
  it.each([
    ['a status line', 'HTTP/1.1 ', '2'],
    ['headers', 'HTTP/1.1 200 OK\r\n', 'x: y\r\n'],
    ['one header', 'HTTP/1.1 200 OK\r\nx: ', 'y'],
    ['chunked body', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\n.\r\n'],
    ['chunk size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '0'],
    ['announced body', 'HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n', '.'],
    ['body without an end', 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n', '.'],
  ])('are left at the deadline in the middle of %s', async (_, first, piece) => {
    const server = await aDrippingServer(first, piece);
    const result = await get(aClient(), server.url, { timeoutMs: 300 });
    // A parser may have enough of it before the time is up; but nobody waits longer.
    expect(told(result)).toMatch(/^failed (timeout|bad_response)$/);
    await server.closed;
  });

  it('get one deadline for all redirects together', async () => {
    let hops = 0;
    const origin = await anHttpServer((_request, response) => {
      hops += 1;
      response.writeHead(302, { location: `/${hops}` }).end();
    });
    // With a deadline for each hop this would end as a loop.
    expect(told(await get(aClient(), origin, { timeoutMs: 200, maxRedirects: 100_000 }))).toBe(
      'failed timeout',
    );
  });
});

describe('endless servers', () => {
  const header = `x: ${'y'.repeat(1_000)}\r\n`;
  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  const long = 'y'.repeat(1_000);

  it.each([
    { what: 'headers', first: 'HTTP/1.1 200 OK\r\n', piece: header, code: 'too_large' },
    { what: 'small headers', first: 'HTTP/1.1 200 OK\r\n', piece: 'a: b\r\n', code: 'too_large' },
    { what: 'one header', first: 'HTTP/1.1 200 OK\r\nx: ', piece: long, code: 'too_large' },
    { what: 'a header name', first: 'HTTP/1.1 200 OK\r\n', piece: long, code: 'too_large' },
    { what: 'trailers', first: `${chunked}0\r\n`, piece: header, code: 'too_large' },
    { what: 'a body', first: 'HTTP/1.1 200 OK\r\n\r\n', piece: long, code: 'too_large' },
    { what: 'chunks', first: chunked, piece: `3e8\r\n${long}\r\n`, code: 'too_large' },
    {
      what: 'early hints',
      first: '',
      piece: 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n',
      code: 'bad_response',
    },
    { what: 'processing', first: '', piece: 'HTTP/1.1 102 Processing\r\n\r\n', code: 'bad_response' },
    { what: 'chunk extensions', first: `${chunked}1;`, piece: long, code: 'too_large' },
    { what: 'continues', first: '', piece: 'HTTP/1.1 100 Continue\r\n\r\n', code: 'connection_lost' },
    { what: 'junk', first: '', piece: long, code: 'bad_response' },
  ])('are cut off in their $what', async ({ first, piece, code }) => {
    const server = await aFloodingServer(first, piece);
    const result = await get(aClient(), server.url, { timeoutMs: 20_000, maxResponseBytes: 100_000 });
    expect(told(result)).toBe(`failed ${code}`);
    await server.closed;
  });

  // Seen to fail when the count is not begun anew with each request.
  it('are no others that answer a lot in many answers, on one connection', async () => {
    const body = Buffer.alloc(8 * MIB);
    const origin = await anHttpServer((_request, response) => response.end(body));
    const client = aClient();
    const peers = await peersDialledBy(async () => {
      for (let i = 0; i < 24; i += 1) {
        const result = await get(client, origin, { maxResponseBytes: body.length });
        expect(result).toMatchObject({ kind: 'response', status: 200 });
      }
    });
    expect(peers.length).toBeLessThanOrEqual(2);
  });

  it('may announce their answer a few times', async () => {
    const port = await aTcpServer((socket) => {
      socket.once('data', () =>
        socket.end(
          'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
        ),
      );
    });
    expect(told(await get(aClient(), `http://127.0.0.1:${port}/`))).toBe('200 ok');
  });
});

describe('bombs', () => {
  const zeros = Buffer.alloc(64 * MIB);
  const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

  it.each([
    ['gzip, br', brotliCompressSync(gzipSync(zeros, { level: 1 }), quick)],
    ['br, gzip', gzipSync(brotliCompressSync(zeros, quick))],
    ['deflate, gzip', gzipSync(deflateSync(zeros, { level: 1 }))],
    ['gzip, deflate, br', brotliCompressSync(deflateSync(gzipSync(zeros, { level: 1 })), quick)],
    // Several members in one stream, each of them harmless.
    ['gzip', Buffer.concat(Array.from({ length: 64 }, () => gzipSync(Buffer.alloc(MIB), { level: 1 })))],
  ])('of %s stop at the limit, not at their height', async (coding, bomb) => {
    const origin = await anHttpServer((_request, response) =>
      response.writeHead(200, { 'content-encoding': coding }).end(bomb),
    );
    const before = process.memoryUsage.rss();
    expect(told(await get(aClient(), origin))).toBe('failed too_large');
    expect(process.memoryUsage.rss() - before).toBeLessThan(48 * MIB);
  });

  it.each(['gzip, gzip, gzip, gzip', 'br,br,br,br,br'])('are not even begun with %s', async (coding) => {
    const origin = await anHttpServer((_request, response) =>
      response.writeHead(200, { 'content-encoding': coding }).end(gzipSync('x')),
    );
    expect(told(await get(aClient(), origin))).toBe('failed bad_response');
  });
});

describe('chains of redirects', () => {
  const refused = [
    'http://localhost:8080/',
    'http://0.0.0.0:8080/',
    'http://10.0.0.1/',
    'http://100.64.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::]:8080/',
    'http://[fd00:ec2::254]/',
    'http://[::ffff:10.0.0.1]/',
    'http://[64:ff9b::a00:1]/',
    'http://[2002:a00:1::]/',
    'http://0x0a000001/',
    'http://012.0.0.1/',
    '//10.0.0.1/',
    'http://mixed.test/',
    'http://inner.test/',
  ];
  const lookup = names({
    localhost: ['::1', '127.0.0.2'],
    'mixed.test': ['2606:4700::1', '10.0.0.1'],
    'inner.test': ['fd12::1'],
  });

  it.each([301, 302, 303, 307, 308])('end before a refused address is dialled, with %i', async (status) => {
    const end = { location: '' };
    const last = await anHttpServer((_request, response) => response.writeHead(status, end).end());
    const first = await anHttpServer((_request, response) =>
      response.writeHead(status, { location: last }).end(),
    );
    const client = aClient({ allowPrivateCidrs: ['127.0.0.1/32'], lookup });
    const peers = await peersDialledBy(async () => {
      for (end.location of refused) {
        expect([end.location, (await get(client, first)).kind]).toEqual([end.location, 'blocked']);
      }
    });
    expect(new Set(peers)).toEqual(new Set(['127.0.0.1']));
  });

  it('judge every answer of a name server, of whichever family', async () => {
    for (const addresses of [
      ['2606:4700::1', '::1'],
      ['::ffff:127.0.0.1', '8.8.8.8'],
      ['8.8.8.8', '64:ff9b::7f00:1'],
      ['fe80::1%lo', '8.8.8.8'],
      ['8.8.8.8', 'not an address'],
    ]) {
      const client = aClient({ lookup: names({ 'many.test': addresses }) });
      const peers = await peersDialledBy(async () => {
        expect([addresses, (await get(client, 'http://many.test/')).kind]).toEqual([addresses, 'blocked']);
      });
      expect(peers).toEqual([]);
    }
  });

  it('judge a name that rebinds between two hops again', async () => {
    const answers = ['127.0.0.1', '10.0.0.1'];
    let asked = 0;
    const origin = await anHttpServer((_request, response) =>
      // The connection is not kept, so the next hop has to resolve again.
      response.writeHead(302, { location: '/again', connection: 'close' }).end(),
    );
    const client = aClient({
      ...LOOPBACK,
      lookup: async () => {
        asked += 1;
        return [{ address: answers[asked - 1] ?? '10.0.0.1', family: 4 }];
      },
    });
    const peers = await peersDialledBy(async () => {
      expect(told(await get(client, `http://rebind.test:${new URL(origin).port}/`))).toBe(
        'blocked address.private',
      );
    });
    expect([asked, peers]).toEqual([2, ['127.0.0.1']]);
  });
});
