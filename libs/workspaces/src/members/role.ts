/** What a member is in a workspace, from most to least. There is exactly one owner. */
export const roles = ['owner', 'admin', 'member', 'viewer'] as const;
export type Role = (typeof roles)[number];

/** What a route can ask for with `@Requires`. */
export type Permission =
  | 'workspace:read'
  | 'workspace:update'
  | 'workspace:transfer'
  | 'workspace:delete'
  | 'member:read'
  | 'member:manage'
  | 'audit:read'
  | 'api_key:manage'
  | 'workflow:read'
  | 'workflow:write'
  | 'workflow:publish'
  | 'run:read'
  | 'run:start'
  | 'run:cancel'
  | 'run:decide'
  | 'run:discard'
  | 'hook:read'
  | 'hook:manage'
  | 'secret:manage'
  | 'egress:read'
  | 'egress:manage'
  | 'billing:read'
  | 'billing:manage';

/** Viewers change nothing, and see no webhook URL: whoever knows one can start runs. */
const viewer: readonly Permission[] = ['workspace:read', 'member:read', 'workflow:read', 'run:read'];

const member: readonly Permission[] = [
  ...viewer,
  'workflow:write',
  'workflow:publish',
  'run:start',
  'run:cancel',
  'run:decide',
  'run:discard',
  'hook:read',
  'egress:read',
  'hook:manage',
  'billing:read',
];

const admin: readonly Permission[] = [
  ...member,
  'workspace:update',
  'member:manage',
  'audit:read',
  'api_key:manage',
  'secret:manage',
  'egress:manage',
];

/** Only the owner spends money, gives the workspace away, or ends it. */
const owner: readonly Permission[] = [...admin, 'workspace:transfer', 'workspace:delete', 'billing:manage'];

/** The one table of who may do what. Each role may do all that the next lower one may. */
const permissions: Readonly<Record<Role, ReadonlySet<Permission>>> = Object.freeze({
  owner: new Set(owner),
  admin: new Set(admin),
  member: new Set(member),
  viewer: new Set(viewer),
});

/** Whether a text names a role. */
export function isRole(text: string): text is Role {
  return roles.some((role) => role === text);
}

/** Whether a text names something that a role can allow. The owner may do everything that there is. */
export function isPermission(text: string): text is Permission {
  return owner.some((permission) => permission === text);
}

/** Whether one who acts in a role may let a person or a key act in another: nobody hands out more than they have. */
export function mayGrant(role: Role, byRole: Role): boolean {
  return [...permissions[role]].every((permission) => permissions[byRole].has(permission));
}

/**
 * Whether one who acts in a role may take a membership of another role away, or change it: nobody touches the owner, and
 * nobody takes more than they have. Both the role that is and the role that is to be are asked about.
 */
export function mayTake(role: Role, byRole: Role): boolean {
  return role !== 'owner' && permissions[byRole].has('member:manage') && mayGrant(role, byRole);
}

/** Whether somebody who was something and is something else now may do less than before. */
export function isLess(now: Role, before: Role): boolean {
  return !mayGrant(before, now);
}

/** Everything a role may do. */
export function permissionsOf(role: Role): ReadonlySet<Permission> {
  return permissions[role];
}
