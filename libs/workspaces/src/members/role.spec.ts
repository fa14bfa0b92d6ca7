import { isLess, isRole, mayGrant, mayTake, type Permission, permissionsOf, roles } from './role';

const CHANGING = /:(write|publish|update|manage|start|cancel|transfer|delete)$/;

describe('role', () => {
  it('gives each role all that the next lower one may do, and something more', () => {
    const sets = roles.map((role) => permissionsOf(role));
    for (const [index, higher] of sets.slice(0, -1).entries()) {
      const lower = [...(sets[index + 1] ?? [])];
      expect(lower.filter((permission) => !higher.has(permission))).toEqual([]);
      expect(higher.size).toBeGreaterThan(lower.length);
    }
  });

  it('lets viewers change nothing and see no webhook URL', () => {
    const viewer = [...permissionsOf('viewer')];
    expect(viewer.filter((permission) => CHANGING.test(permission))).toEqual([]);
    expect(viewer).not.toContain('hook:read');
  });

  it.each<[Permission, readonly string[]]>([
    ['workspace:read', ['owner', 'admin', 'member', 'viewer']],
    ['workflow:write', ['owner', 'admin', 'member']],
    ['run:cancel', ['owner', 'admin', 'member']],
    ['run:decide', ['owner', 'admin', 'member']],
    ['run:discard', ['owner', 'admin', 'member']],
    ['member:manage', ['owner', 'admin']],
    ['audit:read', ['owner', 'admin']],
    ['secret:manage', ['owner', 'admin']],
    ['egress:read', ['owner', 'admin', 'member']],
    ['egress:manage', ['owner', 'admin']],
    ['billing:manage', ['owner']],
    ['workspace:transfer', ['owner']],
    ['workspace:delete', ['owner']],
  ])('grants %s to %j', (permission, expected) => {
    expect(roles.filter((role) => permissionsOf(role).has(permission))).toEqual(expected);
  });

  it('lets nobody hand out more than they have', () => {
    const granted = roles.map((byRole) => roles.filter((role) => mayGrant(role, byRole)));
    expect(granted).toEqual([roles, ['admin', 'member', 'viewer'], ['member', 'viewer'], ['viewer']]);
  });

  it('lets nobody touch the owner, nobody take more than they have, and viewers and members take nothing', () => {
    const taken = roles.map((byRole) => roles.filter((role) => mayTake(role, byRole)));
    expect(taken).toEqual([['admin', 'member', 'viewer'], ['admin', 'member', 'viewer'], [], []]);
  });

  it('knows which change of role takes something away', () => {
    const less = roles.map((before) => roles.filter((now) => isLess(now, before)));
    expect(less).toEqual([['admin', 'member', 'viewer'], ['member', 'viewer'], ['viewer'], []]);
  });

  it('takes no other text for a role, names of Object.prototype included', () => {
    expect(['owner', 'admin', 'member', 'viewer'].every(isRole)).toBe(true);
    expect(['', 'Owner', 'user', 'constructor', '__proto__'].some(isRole)).toBe(false);
  });
});
