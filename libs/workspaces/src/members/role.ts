/** What a member is in a workspace, from most to least. There is exactly one owner. */
export const roles = ['owner', 'admin', 'member', 'viewer'] as const;
export type Role = (typeof roles)[number];

/** What a route can ask for with `@Requires`. */
export type Permission =
  | 'workspace:read'
  | 'workspace:update'
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
  | 'hook:read'
  | 'secret:manage'
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
  'hook:read',
  'billing:read',
];

const admin: readonly Permission[] = [
  ...member,
  'workspace:update',
  'member:manage',
  'audit:read',
  'api_key:manage',
  'secret:manage',
];

/** Only the owner spends money. */
const owner: readonly Permission[] = [...admin, 'billing:manage'];

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

/** Whether one who acts in a role may let a person or a key act in another: nobody hands out more than they have. */
export function mayGrant(role: Role, byRole: Role): boolean {
  return [...permissions[role]].every((permission) => permissions[byRole].has(permission));
}

/** Everything a role may do. */
export function permissionsOf(role: Role): ReadonlySet<Permission> {
  return permissions[role];
}
