import type { ClientBase } from 'pg';
import { CONTROL_SCHEMA, FIRST_CELL } from './data-source';
import { OWNER_ROLE, type RoleStanding, standingOf, TENANT_ROLE } from './roles';

/** A schema or table that exists already, and whom it belongs to. */
export interface Owned {
  readonly name: string;
  readonly owner: string;
}

/** What a login user may do in a database, as far as the product needs it. Names are quoted where SQL asks for it. */
export interface DatabaseFacts {
  /** `server_version_num`: 150004 is 15.4. */
  readonly version: number;
  readonly versionText: string;
  readonly database: string;
  readonly user: string;
  readonly mayCreateRoles: boolean;
  readonly mayCreateSchemas: boolean;
  /** False for a role made with NOINHERIT, which PostgreSQL 15 looks at. */
  readonly inherits: boolean;
  readonly owner: RoleStanding | null;
  readonly tenant: RoleStanding | null;
  /** The tenants' role is a member of this role, which is above its policies. */
  readonly tenantIsMemberOf: string | null;
  readonly missingSchemas: readonly string[];
  /** What belongs to a role whose rights the login user does not have. */
  readonly foreignSchemas: readonly Owned[];
  readonly foreignTables: readonly Owned[];
}

const LOGIN = `
  select current_setting('server_version_num')::int as version,
         current_setting('server_version') as "versionText",
         quote_ident(current_database()) as database,
         quote_ident(current_user) as "user",
         rolcreaterole or rolsuper as "mayCreateRoles",
         rolinherit as inherits,
         has_database_privilege(current_database(), 'create') as "mayCreateSchemas"
    from pg_roles where rolname = current_user`;

const TENANT_MEMBERSHIP = `
  select quote_ident(above.rolname) as name
    from pg_roles above, pg_roles tenant
   where tenant.rolname = $1 and above.rolname in ($2, current_user) and pg_has_role(tenant.oid, above.oid, 'member')
   limit 1`;

const SCHEMAS = `
  select n.nspname as name, quote_ident(pg_get_userbyid(n.nspowner)) as owner,
         not pg_has_role(n.nspowner, 'usage') as "isForeign"
    from pg_namespace n where n.nspname = any($1::text[]) order by 1`;

/** Partitions included: each has an owner of its own. Sequences go with the table that owns them. */
const FOREIGN_TABLES = `
  select format('%I.%I', n.nspname, c.relname) as name, quote_ident(pg_get_userbyid(c.relowner)) as owner
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = any($1::text[]) and c.relkind in ('r', 'p') and not pg_has_role(c.relowner, 'usage')
   order by 1`;

/** Whether the list of cells is there and may be read; asking for it by name would be an error where it may not. */
const CAN_LIST_CELLS = `
  select has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = '${CONTROL_SCHEMA}' and c.relname = 'cells'`;

type Login = Pick<
  DatabaseFacts,
  'version' | 'versionText' | 'database' | 'user' | 'mayCreateRoles' | 'inherits' | 'mayCreateSchemas'
>;

/** Reads the facts over one connection; changes nothing and needs no right beyond connecting. */
export async function readDatabaseFacts(client: ClientBase): Promise<DatabaseFacts> {
  const login = await onlyRow<Login>(client, LOGIN);
  const needed = [CONTROL_SCHEMA, ...(await cellNames(client))];
  const { rows: schemas } = await client.query<Owned & { readonly isForeign: boolean }>(SCHEMAS, [needed]);
  const { rows: foreignTables } = await client.query<Owned>(FOREIGN_TABLES, [needed]);
  const { rows: above } = await client.query<{ name: string }>(TENANT_MEMBERSHIP, [TENANT_ROLE, OWNER_ROLE]);
  return {
    ...login,
    owner: await standingOf(client, OWNER_ROLE),
    tenant: await standingOf(client, TENANT_ROLE),
    tenantIsMemberOf: above[0]?.name ?? null,
    missingSchemas: needed.filter((name) => schemas.every((schema) => schema.name !== name)),
    foreignSchemas: schemas.filter(({ isForeign }) => isForeign),
    foreignTables,
  };
}

async function cellNames(client: ClientBase): Promise<readonly string[]> {
  const { rows: found } = await client.query<{ readable: boolean }>(CAN_LIST_CELLS);
  if (!found[0]?.readable) return [FIRST_CELL];
  const { rows } = await client.query<{ id: string }>(`select id from ${CONTROL_SCHEMA}.cells order by id`);
  return rows.map(({ id }) => id);
}

async function onlyRow<R extends object>(client: ClientBase, text: string): Promise<R> {
  const { rows } = await client.query<R>(text);
  const [row] = rows;
  if (!row) throw new Error('The login user is not listed in pg_roles.');
  return row;
}
