import { isHttpPort } from './blocked-ports';
import { compilePolicy, displayUrl, refuseAddresses, refuseUrl } from './policy';

const closed = compilePolicy({ allowPrivateCidrs: [] });
const ruleFor = (url: string, policy = closed) => refuseUrl(policy, new URL(url))?.rule ?? null;

describe('refuseUrl', () => {
  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0x7f.0.0.0x1/',
    'http://0177.0.0.1/',
    'http://017700000001/',
    'http://127.0.0.1./',
    'http://%31%32%37.0.0.1/',
    'http://127。0。0。1/',
    'http://①②⑦.⓪.⓪.①/',
    'http://[::1]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::FFFF:7F00:0001]/',
    'http://[::127.0.0.1]/',
    'HTTP://127.0.0.1/',
    'http:\\\\127.0.0.1\\',
    'http:127.0.0.1',
    'http://\t127.0.0.1/',
  ])('sees loopback behind %s', (url) => {
    expect(ruleFor(url)).toBe('address.loopback');
  });

  it.each([
    ['http://0/', 'address.this_network'],
    ['http://[::]/', 'address.unspecified'],
    ['http://169.254.169.254/latest/meta-data/', 'address.metadata'],
    ['http://2852039166/', 'address.metadata'],
    ['http://[::ffff:a9fe:a9fe]/', 'address.metadata'],
    ['http://[64:ff9b::7f00:1]/', 'address.nat64'],
    ['http://[2002:7f00:1::]/', 'address.six_to_four'],
    ['http://10.1.2.3/', 'address.private'],
    ['ftp://example.com/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['data:text/plain,hi', 'scheme'],
    ['ws://example.com/', 'scheme'],
    ['http://user@example.com/', 'credentials'],
    ['http://:secret@example.com/', 'credentials'],
    ['http://example.com@127.0.0.1/', 'credentials'],
    ['http://example.com:22/', 'port'],
    ['http://example.com:6379/', 'port'],
    ['https://example.com:0/', 'port'],
  ])('refuses %s by %s', (url, rule) => {
    expect(ruleFor(url)).toBe(rule);
  });

  it.each([
    'http://[fe80::1%25eth0]/',
    'http://[fe80::1%eth0]/',
    'http://256.256.256.256/',
    'http://1.2.3.4.5/',
  ])('is never asked about %s, which is no URL', (url) => {
    expect(URL.canParse(url)).toBe(false);
  });

  it.each([
    'http://example.com/',
    'https://example.com:8443/x?y#z',
    'https://ExAmPlE.com./',
    'https://münchen.example/',
    'http://8.8.8.8/',
    'http://[2606:4700:4700::1111]/',
  ])('lets %s go on to name resolution', (url) => {
    expect(ruleFor(url)).toBeNull();
  });
});

describe('ports', () => {
  it('opens 80, 443 and those from 1024 up that are no known other service', () => {
    expect([80, 443, 1024, 3000, 8080, 8443, 9200, 65_535].filter((port) => !isHttpPort(port))).toEqual([]);
    expect([0, 1, 21, 22, 25, 53, 442, 444, 1023].filter(isHttpPort)).toEqual([]);
    expect([2049, 2375, 3306, 5432, 6000, 6379, 6666, 10_080, 11_211, 27_017].filter(isHttpPort)).toEqual([]);
  });
});

describe('refuseAddresses', () => {
  it('refuses a host when a single one of its addresses is refused', () => {
    expect(refuseAddresses(closed, 'mixed.example', ['8.8.8.8', '10.0.0.1'])?.rule).toBe('address.private');
    expect(refuseAddresses(closed, 'fine.example', ['8.8.8.8', '2606:4700:4700::1111'])).toBeNull();
  });

  it('does not tell which inner address a name leads to', () => {
    const refusal = refuseAddresses(closed, 'db.corp', ['10.11.12.13']);
    expect(refusal?.message).toContain('db.corp');
    expect(refusal?.message).not.toContain('10.11.12.13');
  });
});

describe('allowPrivateCidrs', () => {
  const refusedBy = (cidrs: string[], ip: string) =>
    refuseAddresses(compilePolicy({ allowPrivateCidrs: cidrs }), 'h', [ip])?.rule ?? null;

  it('opens exactly the block it names, in IPv4-mapped spelling as well', () => {
    expect(refusedBy(['10.20.0.0/16'], '10.20.255.255')).toBeNull();
    expect(refusedBy(['10.20.0.0/16'], '::ffff:10.20.0.1')).toBeNull();
    expect(refusedBy(['10.20.0.0/16'], '10.21.0.0')).toBe('address.private');
    expect(refusedBy(['fd12:3456::/32'], 'fd12:3456::1')).toBeNull();
  });

  it('never opens a metadata service, however wide the block', () => {
    expect(refusedBy(['0.0.0.0/0'], '169.254.169.254')).toBe('address.metadata');
    expect(refusedBy(['::/0'], 'fd00:ec2::254')).toBe('address.metadata');
  });

  it('judges the IPv4 address behind an opened NAT64 prefix', () => {
    expect(refusedBy(['64:ff9b::/96'], '64:ff9b::8.8.8.8')).toBeNull();
    expect(refusedBy(['64:ff9b::/96'], '64:ff9b::10.0.0.1')).toBe('address.private');
    expect(refusedBy(['64:ff9b::/96'], '64:ff9b::169.254.169.254')).toBe('address.metadata');
  });

  it.each(['10.0.0.0', '10.0.0.0/33', '10/8', '010.0.0.0/8', 'localhost/8', 'fd00::/129', ''])(
    'refuses to start with %j',
    (cidr) => {
      expect(() => compilePolicy({ allowPrivateCidrs: [cidr] })).toThrow(RangeError);
    },
  );
});

describe('displayUrl', () => {
  it('leaves out whatever may be secret', () => {
    expect(displayUrl(new URL('https://u:p@example.com:8443/a/b?key=1#f'))).toBe(
      'https://example.com:8443/a/b',
    );
    expect(displayUrl(new URL('data:text/plain,secret'))).toBe('data:');
  });
});
