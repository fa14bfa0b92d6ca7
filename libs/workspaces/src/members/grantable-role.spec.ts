import { type GrantableRole, requireGrantable } from './grantable-role';
import { type Role, roles } from './role';

const GRANTABLE: readonly GrantableRole[] = ['admin', 'member', 'viewer'];

/** All pairs of a role to give and a role to give it in. */
function pairsOf(givers: readonly Role[]): readonly (readonly [GrantableRole, Role])[] {
  return givers.flatMap((byRole) => GRANTABLE.map((role) => [role, byRole] as const));
}

describe('requireGrantable', () => {
  it.each(pairsOf(['owner', 'admin']))('lets %s be given by %s', (role, byRole) => {
    expect(() => requireGrantable(role, byRole)).not.toThrow();
  });

  it.each(pairsOf(roles.slice(2)))('does not let %s be given by %s, and says so', (role, byRole) => {
    expect(() => requireGrantable(role, byRole)).toThrow(
      expect.objectContaining({
        code: 'workspace.role_not_grantable',
        context: expect.objectContaining({ meta: { role, ownRole: byRole } }),
      }),
    );
  });
});
