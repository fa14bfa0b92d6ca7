import fc from 'fast-check';
import { nestsDeeper, responseContent, storableText } from './response-content';

const read = (body: string | Buffer, contentType: string) => responseContent(Buffer.from(body), contentType);

describe('responseContent', () => {
  it.each(['application/json', 'APPLICATION/JSON; charset=utf-8', 'application/problem+json', 'text/json'])(
    'parses %s',
    (type) => {
      expect(read('{"a":[1,null]}', type)).toEqual({ bodyKind: 'json', body: { a: [1, null] } });
    },
  );

  it('keeps broken JSON as text', () => {
    expect(read('{"a":', 'application/json')).toEqual({ bodyKind: 'text', body: '{"a":' });
  });

  it('parses 100 levels and keeps 101 as text', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(read(nested(100), 'application/json').bodyKind).toBe('json');
    expect(read(nested(101), 'application/json')).toEqual({ bodyKind: 'text', body: nested(101) });
    expect(read('['.repeat(1_000_000), 'application/json').bodyKind).toBe('text');
  });

  it('leaves __proto__ a key like any other', () => {
    const { body } = read('{"__proto__":{"admin":true},"s":"\\u0000"}', 'application/json');
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
    expect(JSON.stringify(body)).toBe('{"__proto__":{"admin":true},"s":"\uFFFD"}');
  });

  it('replaces what PostgreSQL can not store, in values, keys and text', () => {
    expect(read('{"a\\u0000":["\\ud800x","\\ud83d\\ude00"]}', 'application/json').body).toEqual({
      'a\uFFFD': ['\uFFFDx', '😀'],
    });
    expect(read('a\0b', 'text/plain').body).toBe('a\uFFFDb');
    expect(storableText('\ude00\ud83d\ude00\ud83d')).toBe('\uFFFD😀\uFFFD');
  });

  it.each([
    ['text/plain', Buffer.from('é'), 'é'],
    ['text/plain; charset=latin1', Buffer.from([0xe9]), 'é'],
    ['text/plain; charset="ISO-8859-1"', Buffer.from([0xe9]), 'é'],
    ['text/html;charset=utf-16le', Buffer.from('é', 'utf16le'), 'é'],
    ['text/plain; charset=no-such-thing', Buffer.from('é'), 'é'],
    ['text/plain', Buffer.from([0xff]), '\uFFFD'],
    ['image/svg+xml', Buffer.from('<svg/>'), '<svg/>'],
    ['application/x-ndjson', Buffer.from('{}\n{}'), '{}\n{}'],
  ])('decodes %s', (type, bytes, text) => {
    expect(responseContent(bytes, type)).toEqual({ bodyKind: 'text', body: text });
  });

  it('gives everything else as base64, and nothing as nothing', () => {
    expect(read(Buffer.from([0, 1, 2]), 'image/png')).toEqual({ bodyKind: 'base64', body: 'AAEC' });
    expect(read('x', '')).toEqual({ bodyKind: 'base64', body: 'eA==' });
    expect(read('', 'application/json')).toEqual({ bodyKind: 'empty', body: null });
  });
});

describe('nestsDeeper', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

  it('agrees with the depth of the parsed value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.nat(7), (json, levels) => {
        expect(nestsDeeper(json, levels)).toBe(depthOf(JSON.parse(json)) > levels);
      }),
    );
  });
});
