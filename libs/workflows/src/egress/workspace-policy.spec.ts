import fc from 'fast-check';
import {
  compileWorkspacePolicy,
  decide,
  type PolicyDecision,
  refusalOf,
  targetOf,
  type WorkspacePolicy,
} from './workspace-policy';

const policyOf = (policy: Partial<WorkspacePolicy>) =>
  compileWorkspacePolicy({ defaultAction: 'allow', allow: [], deny: [], dryRun: false, ...policy }, 1);

/** The decision in a word, with the entry that made it. */
function told(
  policy: Partial<WorkspacePolicy>,
  url: string,
  addresses: readonly string[] | null = null,
): string {
  const decision = decide(policyOf(policy), targetOf(new URL(url)), addresses);
  return 'entry' in decision ? `${decision.action} ${decision.entry ?? 'default'}` : decision.action;
}

describe('names', () => {
  it.each([
    ['example.com', 'http://example.com/', 'deny example.com'],
    ['example.com', 'https://EXAMPLE.com.:8443/x', 'deny example.com'],
    ['example.com', 'http://a.example.com/', 'allow default'],
    ['example.com', 'http://notexample.com/', 'allow default'],
    ['*.example.com', 'http://a.example.com/', 'deny *.example.com'],
    ['*.example.com', 'http://a.b.c.example.com./', 'deny *.example.com'],
    ['*.example.com', 'http://example.com/', 'allow default'],
    ['*.example.com', 'http://notexample.com/', 'allow default'],
    ['*.example.com', 'http://example.com.evil.test/', 'allow default'],
    ['example.com:8443', 'https://example.com:8443/', 'deny example.com:8443'],
    ['example.com:8443', 'https://example.com/', 'allow default'],
    ['example.com:443', 'https://example.com/', 'deny example.com:443'],
    ['example.com:443', 'http://example.com/', 'allow default'],
    ['münchen.example', 'http://xn--mnchen-3ya.example/', 'deny xn--mnchen-3ya.example'],
    ['xn--mnchen-3ya.example', 'http://MÜNCHEN.example/', 'deny xn--mnchen-3ya.example'],
  ])('deny %s meets %s with %s', (entry, url, expected) => {
    expect(told({ deny: [entry] }, url)).toBe(expected);
  });

  it('allows what is named and denies the rest where that is the default', () => {
    const policy = { defaultAction: 'deny', allow: ['*.example.com', 'api.test:8443'] } as const;
    expect(told(policy, 'http://a.example.com/')).toBe('allow *.example.com');
    expect(told(policy, 'http://example.com/')).toBe('deny default');
    expect(told(policy, 'http://api.test:8443/')).toBe('allow api.test:8443');
    expect(told(policy, 'http://api.test/')).toBe('deny default');
  });

  it('lets deny win over allow, the narrow over the wide and the other way round', () => {
    expect(told({ allow: ['a.example.com'], deny: ['*.example.com'] }, 'http://a.example.com/')).toBe(
      'deny *.example.com',
    );
    expect(told({ allow: ['*.example.com'], deny: ['a.example.com'] }, 'http://a.example.com/')).toBe(
      'deny a.example.com',
    );
  });
});

describe('addresses', () => {
  const deny = ['198.51.100.0/24', '2001:db8::/32'];

  it.each([
    ['http://198.51.100.9/', 'deny 198.51.100.0/24'],
    ['http://0xc6336409/', 'deny 198.51.100.0/24'],
    ['http://3325256713/', 'deny 198.51.100.0/24'],
    ['http://[::ffff:198.51.100.9]/', 'deny 198.51.100.0/24'],
    ['http://[64:ff9b::198.51.100.9]/', 'deny 198.51.100.0/24'],
    ['http://[2001:db8::5]/', 'deny 2001:db8::/32'],
    ['http://198.51.101.0/', 'allow default'],
    ['http://198.51.99.255/', 'allow default'],
    ['http://name.test/', 'depends'],
  ])('are denied as literals of any spelling: %s', (url, expected) => {
    expect(told({ deny }, url)).toBe(expected);
  });

  it('deny a name by one of its addresses, A or AAAA', () => {
    expect(told({ deny }, 'http://name.test/', ['8.8.8.8', '2001:db8::1'])).toBe('deny 2001:db8::/32');
    expect(told({ deny }, 'http://name.test/', ['198.51.100.1', '2606:4700::1'])).toBe(
      'deny 198.51.100.0/24',
    );
    expect(told({ deny }, 'http://name.test/', ['8.8.8.8', '2606:4700::1'])).toBe('allow default');
  });

  it('allow a name when all of them are allowed, and none does not count as all', () => {
    const policy = { defaultAction: 'deny', allow: ['203.0.113.0/24', '2001:db8::/32'] } as const;
    expect(told(policy, 'http://name.test/')).toBe('depends');
    expect(told(policy, 'http://name.test/', ['203.0.113.1', '2001:db8::1'])).toBe('allow 203.0.113.0/24');
    expect(told(policy, 'http://name.test/', ['203.0.113.1', '8.8.8.8'])).toBe('deny default');
    expect(told(policy, 'http://name.test/', [])).toBe('deny default');
  });

  it('are judged with the port that an entry names', () => {
    expect(told({ deny: ['203.0.113.7:8080'] }, 'http://203.0.113.7:8080/')).toBe('deny 203.0.113.7:8080');
    expect(told({ deny: ['203.0.113.7:8080'] }, 'http://203.0.113.7/')).toBe('allow default');
    expect(told({ deny: ['[2001:db8::1]:443'] }, 'https://[2001:db8::1]/')).toBe('deny [2001:db8::1]:443');
    expect(told({ deny: ['203.0.113.7:8080'] }, 'http://name.test/')).toBe('allow default');
  });

  it('are not asked for when the name is refused anyway', () => {
    expect(told({ defaultAction: 'deny', deny }, 'http://name.test/')).toBe('deny default');
    expect(told({ deny: [...deny, 'name.test'] }, 'http://name.test/')).toBe('deny name.test');
  });
});

describe('a refusal', () => {
  const of = (policy: Partial<WorkspacePolicy>) => {
    const target = targetOf(new URL('http://name.test/secret?key=1'));
    return refusalOf(decide(policyOf(policy), target, null), target);
  };

  it('names the rule and the entry, and of the URL the host alone', () => {
    expect(of({ deny: ['*.test'] })).toMatchObject({
      rule: 'policy.deny',
      message: expect.stringContaining('*.test'),
    });
    expect(of({ defaultAction: 'deny' })).toMatchObject({ rule: 'policy.default' });
    expect(JSON.stringify(of({ defaultAction: 'deny' }))).not.toContain('secret');
    expect(of({})).toBeNull();
    expect(of({ deny: ['10.0.0.0/8'] })).toBeNull();
  });

  it('is not made of a policy that can not be read', () => {
    expect(() => policyOf({ deny: ['not a host'] })).toThrow(RangeError);
  });
});

describe('every policy', () => {
  const names = ['a.test', 'b.a.test', 'c.b.a.test', 'z.test', '198.51.100.1', '2001:db8::1'];
  const entries = fc.constantFrom(
    'a.test',
    '*.a.test',
    '*.test',
    'z.test:8080',
    '198.51.100.0/24',
    '198.51.100.1:80',
    '2001:db8::/32',
    '0.0.0.0/0',
    '::/0',
  );
  const policies = fc.record({
    defaultAction: fc.constantFrom('allow', 'deny'),
    allow: fc.array(entries, { maxLength: 4 }),
    deny: fc.array(entries, { maxLength: 4 }),
  });
  const targets = fc.record({ host: fc.constantFrom(...names), port: fc.constantFrom(80, 8080) });
  const addresses = fc.array(fc.constantFrom('198.51.100.1', '8.8.8.8', '2001:db8::1', '2606:4700::1'), {
    minLength: 1,
    maxLength: 4,
  });
  const actionOf = (decision: PolicyDecision) => decision.action;

  it('says the same before a name is resolved as after, or says that it depends', () => {
    fc.assert(
      fc.property(policies, targets, addresses, (policy, target, resolved) => {
        const before = actionOf(decide(policyOf(policy), target, null));
        const after = actionOf(decide(policyOf(policy), target, resolved));
        expect(after).not.toBe('depends');
        expect([after, 'depends']).toContain(before);
      }),
    );
  });

  it('denies no less with another deny entry, and allows no less with another allow entry', () => {
    fc.assert(
      fc.property(policies, targets, fc.tuple(addresses, entries), (policy, target, [resolved, more]) => {
        const now = actionOf(decide(policyOf(policy), target, resolved));
        const stricter = { ...policy, deny: [...policy.deny, more] };
        const wider = { ...policy, allow: [...policy.allow, more] };
        const than = (changed: Partial<WorkspacePolicy>) =>
          actionOf(decide(policyOf(changed), target, resolved));
        expect([now, than(stricter)]).not.toEqual(['deny', 'allow']);
        expect([now, than(wider)]).not.toEqual(['allow', 'deny']);
      }),
    );
  });

  it('does not allow more because a name has more addresses', () => {
    fc.assert(
      fc.property(policies, targets, fc.tuple(addresses, addresses), (policy, target, [some, others]) => {
        const fewer = actionOf(decide(policyOf(policy), target, some));
        const all = actionOf(decide(policyOf(policy), target, [...others, ...some]));
        expect([fewer, all]).not.toEqual(['deny', 'allow']);
      }),
    );
  });

  it('does not mind the order of its entries', () => {
    fc.assert(
      fc.property(policies, targets, addresses, (policy, target, resolved) => {
        const turned = { ...policy, allow: policy.allow.toReversed(), deny: policy.deny.toReversed() };
        expect(actionOf(decide(policyOf(turned), target, resolved))).toBe(
          actionOf(decide(policyOf(policy), target, resolved)),
        );
      }),
    );
  });
});
