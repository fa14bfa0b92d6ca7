import type { DatabaseFacts } from './database-facts';
import { grantStatement, isUsable, OWNER_ROLE, type RoleStanding, TENANT_ROLE } from './roles';

/** The oldest PostgreSQL the migrations and statements are written for. */
const OLDEST_VERSION = 150_000;

/** One thing that hinders the product, and the statements with which an administrator removes it. */
export interface DatabaseFault {
  readonly message: string;
  readonly remedies: readonly string[];
}

/** Everything that is missing, in the order in which it is to be put right. Empty: the product can run. */
export function databaseFaults(facts: DatabaseFacts): readonly DatabaseFault[] {
  if (facts.version < OLDEST_VERSION) {
    const message = `The server is PostgreSQL ${facts.versionText}; Millrace needs PostgreSQL 15 or newer.`;
    return [{ message, remedies: [] }];
  }
  return [
    ...roleFaults(facts, OWNER_ROLE, facts.owner),
    ...roleFaults(facts, TENANT_ROLE, facts.tenant),
    ...tenantFaults(facts),
    ...schemaFaults(facts),
  ];
}

function roleFaults(
  facts: DatabaseFacts,
  role: string,
  standing: RoleStanding | null,
): readonly DatabaseFault[] {
  const { user, version, mayCreateRoles } = facts;
  const grant = grantStatement(role, user, version);
  if (standing === null) {
    if (mayCreateRoles) return noInheritFaults(facts, role);
    const message = `The role ${role} does not exist and the user ${user} may not create it.`;
    return [{ message, remedies: [`create role ${role} nologin;`, grant] }, ...noInheritFaults(facts, role)];
  }
  if (isUsable(standing)) return [];
  const noInherit = noInheritFaults(facts, role);
  // Before PostgreSQL 16 a membership is usable, or there is none, or the user itself is barred from inheriting.
  const isMember = version < 160_000 && standing.canSet;
  if (standing.canGrant || isMember) return noInherit;
  const right = role === TENANT_ROLE ? 'become' : 'inherit the rights of';
  return [
    { message: `The user ${user} may not ${right} the role ${role}.`, remedies: [grant] },
    ...noInherit,
  ];
}

/** A user made with NOINHERIT has to be changed itself: before PostgreSQL 16 no grant says otherwise. */
function noInheritFaults({ user, version, inherits }: DatabaseFacts, role: string): readonly DatabaseFault[] {
  if (inherits || version >= 160_000 || role !== OWNER_ROLE) return [];
  const message = `The user ${user} does not inherit the rights of its roles, of which ${role} is to be one.`;
  return [{ message, remedies: [`alter role ${user} inherit;`] }];
}

/** A tenant's role that is above the policies would show each tenant the rows of all others. */
function tenantFaults({ tenant, tenantIsMemberOf }: DatabaseFacts): readonly DatabaseFault[] {
  const faults: DatabaseFault[] = [];
  if (tenant?.seesAll) {
    faults.push({
      message: `The role ${TENANT_ROLE} is exempt from row-level security, so tenants would see each other's data.`,
      remedies: [`alter role ${TENANT_ROLE} nosuperuser nobypassrls;`],
    });
  }
  if (tenantIsMemberOf !== null) {
    faults.push({
      message: `The role ${TENANT_ROLE} is a member of ${tenantIsMemberOf}, so tenants would see each other's data.`,
      remedies: [`revoke ${tenantIsMemberOf} from ${TENANT_ROLE};`],
    });
  }
  return faults;
}

function schemaFaults(facts: DatabaseFacts): readonly DatabaseFault[] {
  const { user, database, missingSchemas, mayCreateSchemas, foreignSchemas, foreignTables } = facts;
  const faults: DatabaseFault[] = foreignSchemas.map(({ name, owner }) => ({
    message: `The schema ${name} belongs to ${owner}, so the user ${user} cannot migrate it.`,
    remedies: [`alter schema ${name} owner to ${user};`],
  }));
  if (foreignTables.length > 0) {
    const owners = [...new Set(foreignTables.map(({ owner }) => owner))].join(', ');
    faults.push({
      message: `${foreignTables.length} tables belong to ${owners}, so the user ${user} cannot migrate them.`,
      remedies: foreignTables.map(({ name }) => `alter table ${name} owner to ${user};`),
    });
  }
  if (missingSchemas.length > 0 && !mayCreateSchemas) {
    faults.push({
      message: `The user ${user} may not create the schemas ${missingSchemas.join(' and ')} in the database ${database}.`,
      remedies: [`grant create on database ${database} to ${user};`],
    });
  }
  return faults;
}
