import { EgressFault } from './fault';
import { type Hop, nextHop } from './redirect';
import { checkedHeaders, withDefaults } from './request-headers';

describe('checkedHeaders', () => {
  it.each([
    'Host',
    'host',
    'Content-Length',
    'Transfer-Encoding',
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Upgrade',
    'Expect',
    'HTTP2-Settings',
  ])('refuses %s, which belongs to the client', (name) => {
    expect(() => checkedHeaders({ [name]: 'x' })).toThrow(EgressFault);
  });

  it.each(['', 'a b', 'a:b', 'a\r\nb', 'ü', 'a\0', '"a"'])('refuses the name %j', (name) => {
    expect(() => checkedHeaders({ [name]: 'x' })).toThrow(/is not a header name/);
  });

  it.each(['a\r\nHost: b', 'a\nb', 'a\rb', 'a\0b', 'a\u007fb', '€', '\ud800'])(
    'refuses the value %j',
    (value) => {
      expect(() => checkedHeaders({ 'X-A': value })).toThrow(/line break, a control character/);
    },
  );

  it('does not repeat a bad value, for it may be a secret', () => {
    expect(() => checkedHeaders({ Authorization: 'Bearer s3cr3t\n' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('s3cr3t') }),
    );
  });

  it('takes tabs, Latin-1 and the key __proto__', () => {
    const headers: Record<string, string> = JSON.parse('{"__proto__":"x","X-A":"caf\u00e9\\tb"}');
    expect(checkedHeaders(headers)).toEqual([
      ['__proto__', 'x'],
      ['X-A', 'café\tb'],
    ]);
  });
});

describe('withDefaults', () => {
  it('gives way to the same name in another case', () => {
    expect(
      withDefaults(
        [['accept', 'a']],
        [
          ['Accept', 'b'],
          ['X', 'c'],
        ],
      ),
    ).toEqual([
      ['accept', 'a'],
      ['X', 'c'],
    ]);
  });
});

describe('nextHop', () => {
  const hop = (method: Hop['method']): Hop => ({
    method,
    url: new URL('https://api.example.com/a/b?c'),
    headers: [
      ['authorization', 'x'],
      ['Cookie', 'x'],
      ['Proxy-Authorization', 'x'],
      ['X-Api-Key', 'x'],
      ['Private-Token', 'x'],
      ['X-Tenant', 't'],
      ['Idempotency-Key', 'k'],
      ['Content-Type', 'application/json'],
    ],
    body: Buffer.from('{}'),
  });

  it.each([
    ['POST', 301, 'GET'],
    ['POST', 302, 'GET'],
    ['POST', 303, 'GET'],
    ['POST', 307, 'POST'],
    ['POST', 308, 'POST'],
    ['PUT', 301, 'PUT'],
    ['PUT', 302, 'PUT'],
    ['PUT', 303, 'GET'],
    ['DELETE', 303, 'GET'],
    ['HEAD', 302, 'HEAD'],
    ['HEAD', 303, 'HEAD'],
    ['GET', 303, 'GET'],
  ] as const)('turns %s after %i into %s', (method, status, expected) => {
    const next = nextHop(hop(method), status, '/next');
    expect(next?.method).toBe(expected);
    const isRepeated = expected === method;
    expect(next?.body === null).toBe(!isRepeated);
    expect(next?.headers.some(([name]) => name === 'Content-Type')).toBe(isRepeated);
  });

  it('keeps every header within the origin', () => {
    expect(nextHop(hop('POST'), 307, '../c')?.headers).toEqual(hop('POST').headers);
    expect(nextHop(hop('POST'), 307, '../c')?.url.href).toBe('https://api.example.com/c');
  });

  it.each([
    'https://evil.example/',
    'http://api.example.com/',
    'https://api.example.com:8443/',
    '//evil.example',
  ])('leaves credentials behind on the way to %s', (location) => {
    expect(nextHop(hop('POST'), 308, location)?.headers.map(([name]) => name)).toEqual([
      'X-Tenant',
      'Idempotency-Key',
      'Content-Type',
    ]);
  });

  it.each([200, 204, 300, 304, 305, 306, 404])('takes %i for an answer', (status) => {
    expect(nextHop(hop('GET'), status, '/x')).toBeNull();
  });

  it('takes a redirect without a target for an answer, and one to nonsense for a fault', () => {
    expect(nextHop(hop('GET'), 302, undefined)).toBeNull();
    expect(() => nextHop(hop('GET'), 302, 'http://[')).toThrow(EgressFault);
  });
});
