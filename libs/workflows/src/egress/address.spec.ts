import fc from 'fast-check';
import { IPv4, IPv6, parseCIDR } from 'ipaddr.js';
import { BLOCKED_CIDRS, classifyAddress, nat64Target } from './address';

/** First and last address of a block, with the neighbours just outside it (null past the end of the space). */
function edges(cidr: string) {
  const [network, prefixBits] = parseCIDR(cidr);
  const bytes = network.toByteArray();
  const bits = bytes.length * 8;
  const first = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const last = first + (1n << BigInt(bits - prefixBits)) - 1n;
  const top = (1n << BigInt(bits)) - 1n;
  const text = (value: bigint) => {
    const out = Array.from({ length: bytes.length }, (_, i) =>
      Number((value >> BigInt(bits - 8 * (i + 1))) & 255n),
    );
    return bytes.length === 4 ? new IPv4(out).toString() : new IPv6(out).toString();
  };
  return {
    first: text(first),
    last: text(last),
    before: first === 0n ? null : text(first - 1n),
    after: last === top ? null : text(last + 1n),
  };
}

describe('classifyAddress', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['1.1.1.1', 'public'],
    ['93.184.216.34', 'public'],
    ['2606:4700:4700::1111', 'public'],
    ['2a00:1450:4001:80b::200e', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['::ffff:808:808', 'public'],
    ['0.0.0.0', 'this_network'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['169.254.169.254', 'metadata'],
    ['169.254.170.2', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['169.254.1.1', 'link_local'],
    ['255.255.255.255', 'broadcast'],
    ['239.1.2.3', 'multicast'],
    ['192.88.99.1', 'six_to_four'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['::ffff:169.254.169.254', 'metadata'],
    ['::ffff:0.0.0.0', 'this_network'],
    ['::127.0.0.1', 'loopback'],
    ['::10.0.0.1', 'private'],
    ['::8.8.8.8', 'reserved'],
    ['::808:808', 'reserved'],
    ['fe80::169.254.169.254%eth0', 'metadata'],
    ['::ffff:0:127.0.0.1', 'reserved'],
    ['64:ff9b::8.8.8.8', 'nat64'],
    ['64:ff9b:1::a00:1', 'nat64'],
    ['2002:7f00:1::', 'six_to_four'],
    ['2001:0:1::1', 'teredo'],
    ['100::1', 'discard'],
    ['fc00::1', 'unique_local'],
    ['fe80::1', 'link_local'],
    ['fe80::1%eth0', 'link_local'],
    ['fec0::1', 'site_local'],
    ['ff02::1', 'multicast'],
    ['2001:db8::1', 'documentation'],
    ['3fff::1', 'documentation'],
    ['2001:2::1', 'benchmarking'],
    ['2001:10::1', 'reserved'],
    ['5f00::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['1fff:ffff::1', 'reserved'],
  ])('calls %s %s', (ip, expected) => {
    expect(classifyAddress(ip)).toBe(expected);
  });

  it.each(['', 'localhost', '127.1', '0177.0.0.1', '0x7f.1', '2130706433', '[::1]', '1.2.3.4.', '1.2.3.4/8'])(
    'does not guess at %j',
    (text) => {
      expect(classifyAddress(text)).toBe('invalid');
    },
  );

  it.each(BLOCKED_CIDRS)('refuses %s from its first to its last address', (cidr, range) => {
    const { first, last } = edges(cidr);
    // A narrower block that begins or ends here may name the address instead, but it must stay refused.
    expect([range, 'unspecified', 'teredo', 'broadcast']).toContain(classifyAddress(first));
    expect([range, 'unspecified', 'teredo', 'broadcast']).toContain(classifyAddress(last));
  });

  it.each([
    ['0.0.0.0/8', [null, '1.0.0.0']],
    ['10.0.0.0/8', ['9.255.255.255', '11.0.0.0']],
    ['100.64.0.0/10', ['100.63.255.255', '100.128.0.0']],
    ['127.0.0.0/8', ['126.255.255.255', '128.0.0.0']],
    ['169.254.0.0/16', ['169.253.255.255', '169.255.0.0']],
    ['172.16.0.0/12', ['172.15.255.255', '172.32.0.0']],
    ['192.168.0.0/16', ['192.167.255.255', '192.169.0.0']],
    ['198.18.0.0/15', ['198.17.255.255', '198.20.0.0']],
    ['198.51.100.0/24', ['198.51.99.255', '198.51.101.0']],
    ['203.0.113.0/24', ['203.0.112.255', '203.0.114.0']],
    ['2001:db8::/32', ['2001:db7:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db9::']],
    ['2002::/16', ['2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2003::']],
  ])('lets the neighbours of %s pass', (cidr, neighbours) => {
    const { before, after } = edges(cidr);
    expect([before, after]).toEqual(neighbours);
    const inside = neighbours.filter((neighbour) => neighbour !== null);
    expect(inside.map(classifyAddress)).toEqual(inside.map(() => 'public'));
  });

  it('judges an IPv4-mapped address exactly as the IPv4 address in it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ip) => classifyAddress(`::ffff:${ip}`) === classifyAddress(ip)),
      { numRuns: 2_000 },
    );
  });

  it('never calls an IPv6 address outside 2000::/3 public', () => {
    fc.assert(
      fc.property(fc.ipV6(), (ip) => {
        fc.pre(classifyAddress(ip) === 'public');
        const address = IPv6.parse(ip);
        return address.isIPv4MappedAddress() || (address.parts[0] ?? 0) >> 13 === 1;
      }),
    );
  });
});

describe('nat64Target', () => {
  it('reads the IPv4 address a gateway would call, and only from NAT64 addresses', () => {
    expect(nat64Target('64:ff9b::a9fe:a9fe')).toBe('169.254.169.254');
    expect(nat64Target('2606:4700::1')).toBeNull();
  });
});
