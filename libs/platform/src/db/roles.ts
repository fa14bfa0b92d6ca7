import { type ClientBase, DatabaseError } from 'pg';

/** Whom the owners' policies are written for, so that the schema does not depend on the name of the login user. */
export const OWNER_ROLE = 'millrace_owner';
/** What a request becomes: sees the rows of one workspace. */
export const TENANT_ROLE = 'millrace_tenant';

/** What the login user can do with a role that exists. */
export interface RoleStanding {
  readonly name: string;
  /** `set role` works. */
  readonly canSet: boolean;
  /** Policies and grants of the role hold for the login user without `set role`. */
  readonly inherits: boolean;
  /** The login user may grant the role to itself. */
  readonly canGrant: boolean;
  /** The role is above row-level security. */
  readonly seesAll: boolean;
}

/** From PostgreSQL 16 on membership has options, and the right to create roles no longer is one to grant them all. */
const STANDING = `
  select r.rolname as name,
         pg_has_role(r.oid, case when v.has_options then 'set' else 'member' end) as "canSet",
         pg_has_role(r.oid, 'usage') as inherits,
         u.rolsuper or pg_has_role(r.oid, 'member with admin option')
           or (u.rolcreaterole and not v.has_options) as "canGrant",
         r.rolsuper or r.rolbypassrls as "seesAll"
    from pg_roles r, pg_roles u,
         (select current_setting('server_version_num')::int >= 160000 as has_options) v
   where r.rolname = $1 and u.rolname = current_user`;

/** Null if there is no such role. */
export async function standingOf(client: ClientBase, role: string): Promise<RoleStanding | null> {
  const { rows } = await client.query<RoleStanding>(STANDING, [role]);
  return rows[0] ?? null;
}

/** Whether the login user stands to the role as the product needs it: it sets the tenant's, and it is an owner. */
export function isUsable(standing: RoleStanding): boolean {
  return standing.name === TENANT_ROLE ? standing.canSet : standing.inherits;
}

/** How a membership is granted: its options must be said from PostgreSQL 16 on, and cannot be before. */
export function grantStatement(role: string, to: string, version: number): string {
  return `grant ${role} to ${to}${version >= 160_000 ? ' with set true, inherit true' : ''};`;
}

/** Two installations that begin at once on one server meet here; the loser finds the winner's work at its next try. */
const MOST_TRIES = 5;
const MET_ANOTHER = new Set([
  '23505', // unique_violation: it created the role, or granted it
  '42710', // duplicate_object
  'XX000', // "tuple concurrently updated"
]);

/**
 * Makes the two roles and the login user's membership, where they are missing. Roles belong to the whole server, not
 * to one database, so they cannot be part of a migration and its `down`.
 */
export async function ensureRoles(client: ClientBase): Promise<void> {
  for (const role of [OWNER_ROLE, TENANT_ROLE]) {
    const standing = await standingOf(client, role);
    if (standing === null || !isUsable(standing)) await retryingRaces(() => makeRole(client, role));
  }
}

async function retryingRaces(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return;
    } catch (error) {
      const metAnother = error instanceof DatabaseError && MET_ANOTHER.has(error.code ?? '');
      if (!metAnother || tries === MOST_TRIES) throw error;
    }
  }
}

async function makeRole(client: ClientBase, role: string): Promise<void> {
  if ((await standingOf(client, role)) === null) await client.query(`create role ${role} nologin`);
  const { rows } = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  await client.query(grantStatement(role, 'current_user', rows[0]?.version ?? 0));
}
