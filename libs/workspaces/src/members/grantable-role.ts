import { AppError } from '#platform';
import { workspaceErrors } from '../errors';
import { mayTake, type Role } from './role';

/** A role that can be given; the owner's is handed over by a transfer. */
export type GrantableRole = Exclude<Role, 'owner'>;

/** Throws workspace.role_not_grantable: nobody gives more than they have, be it by a change, an invitation or a link. */
export function requireGrantable(role: GrantableRole, byRole: Role): void {
  if (mayTake(role, byRole)) return;
  throw new AppError(workspaceErrors.role_not_grantable, {
    detail: `As ${byRole} you can neither give the role "${role}" nor take it away.`,
    meta: { role, ownRole: byRole },
  });
}
