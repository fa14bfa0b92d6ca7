import fc from 'fast-check';
import { hostOf, parsePolicyEntry } from './policy-entry';

const normal = (text: string): string | null => {
  const parsed = parsePolicyEntry(text);
  return parsed.ok ? parsed.entry.text : null;
};

describe('an entry of an allow or deny list', () => {
  it.each([
    ['api.example.com', 'api.example.com'],
    ['API.Example.COM', 'api.example.com'],
    ['api.example.com.', 'api.example.com'],
    ['*.Example.com.', '*.example.com'],
    ['api.example.com:8443', 'api.example.com:8443'],
    ['api.example.com.:08443', 'api.example.com:8443'],
    ['*.example.com:443', '*.example.com:443'],
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['*.MÜNCHEN.example', '*.xn--mnchen-3ya.example'],
    ['xn--mnchen-3ya.example', 'xn--mnchen-3ya.example'],
    ['example。com', 'example.com'],
    ['_dmarc.example.com', '_dmarc.example.com'],
    ['intranet', 'intranet'],
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:8080', '203.0.113.7:8080'],
    ['2001:DB8:0::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '[2001:db8::1]:443'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['203.0.113.99/24', '203.0.113.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::1/32', '2001:db8::/32'],
    ['::/0', '::/0'],
  ])('%s is kept as %s', (text, kept) => {
    expect(normal(text)).toBe(kept);
  });

  it.each([
    '',
    '*',
    '*.',
    '.',
    '..',
    'a..b',
    '-a.example',
    'api.*.example.com',
    '*.*.example.com',
    'https://example.com',
    'example.com/path',
    'user@example.com',
    'example.com?x',
    'example.com#x',
    'exa mple.com',
    'example.com\n',
    'example.com:0',
    'example.com:65536',
    'example.com:',
    'example.com:http',
    '*.203.0.113.7',
    '127.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '①②⑦.0.0.1',
    '%31',
    '10.0.0.0/33',
    '10.0.0/8',
    '010.0.0.0/8',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0.0/8:443',
    '2001:db8::/129',
    '::ffff:10.0.0.0/104',
    'fe80::1%eth0',
    '[fe80::1',
    'fe80::1]:443',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`,
  ])('%j is refused with a sentence', (text) => {
    const parsed = parsePolicyEntry(text);
    expect(parsed.ok ? parsed.entry.text : parsed.message).toMatch(/\.$/);
    expect(parsed.ok).toBe(false);
  });

  it('is the same once it is normal, and never throws', () => {
    const texts = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.domain(),
      fc.ipV4(),
      fc.ipV6(),
      fc.tuple(fc.ipV4(), fc.nat(40)).map(([ip, bits]) => `${ip}/${bits}`),
      fc.tuple(fc.ipV6(), fc.nat(140)).map(([ip, bits]) => `${ip}/${bits}`),
      fc.tuple(fc.domain(), fc.nat(70_000)).map(([host, port]) => `*.${host}:${port}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const once = normal(text);
        expect(once === null ? null : normal(once)).toBe(once);
      }),
    );
  });
});

describe('the host of a URL', () => {
  it.each([
    ['http://API.example.com./', 'api.example.com'],
    ['http://[::1]/', '::1'],
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://münchen.example/', 'xn--mnchen-3ya.example'],
  ])('of %s is %s', (url, host) => {
    expect(hostOf(new URL(url))).toBe(host);
  });
});
