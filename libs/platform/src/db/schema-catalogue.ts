import type { ClientBase } from 'pg';

// What a schema consists of, read from the catalogue by the names inside it. Every query takes the schema's name as its
// only parameter. The search path is that schema alone, so PostgreSQL prints the names in it unqualified.

/** A column of a table. */
export interface CatalogueColumn {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
  readonly notNull: boolean;
  readonly identity: '' | 'a' | 'd';
  readonly generated: '' | 's' | 'v';
  /** The default, or what a generated column is made of. */
  readonly expression: string | null;
  readonly storage: string | null;
  readonly comment: string | null;
}

/** A table; a partition names its parent and its bounds. */
export interface CatalogueTable {
  readonly name: string;
  readonly unlogged: boolean;
  readonly parent: string | null;
  readonly bounds: string | null;
  readonly partitionKey: string | null;
  readonly options: readonly string[] | null;
  readonly rowSecurity: boolean;
  readonly forceRowSecurity: boolean;
  readonly comment: string | null;
}

/** A constraint or index of a table, as PostgreSQL writes it. */
export interface CatalogueDefinition {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  readonly kind: string;
  readonly comment: string | null;
}

/** A row-level security policy. */
export interface CataloguePolicy {
  readonly table: string;
  readonly name: string;
  readonly permissive: boolean;
  readonly command: string;
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly check: string | null;
}

/** One privilege on a table (`column` null) or a column. */
export interface CatalogueGrant {
  readonly table: string;
  readonly column: string | null;
  readonly role: string;
  readonly privilege: string;
}

/** Everything of one schema, each list in a fixed order. */
export interface Catalogue {
  readonly tables: readonly CatalogueTable[];
  readonly columns: readonly CatalogueColumn[];
  readonly constraints: readonly CatalogueDefinition[];
  readonly indexes: readonly CatalogueDefinition[];
  readonly policies: readonly CataloguePolicy[];
  readonly grants: readonly CatalogueGrant[];
  readonly schemaGrants: readonly Pick<CatalogueGrant, 'role' | 'privilege'>[];
}

/** TypeORM's history of the schema is no part of its picture. */
const HISTORY = 'migrations';

const TABLES_OF_SCHEMA = `
  pg_class t join pg_namespace n on n.oid = t.relnamespace and n.nspname = $1
   and t.relkind in ('r', 'p') and t.relname <> '${HISTORY}'`;

const TABLES = `
  select t.relname as name, t.relpersistence = 'u' as unlogged, p.relname as parent,
         pg_get_expr(t.relpartbound, t.oid) as bounds, pg_get_partkeydef(t.oid) as "partitionKey",
         t.reloptions as options, t.relrowsecurity as "rowSecurity", t.relforcerowsecurity as "forceRowSecurity",
         obj_description(t.oid, 'pg_class') as comment
    from ${TABLES_OF_SCHEMA}
    left join pg_inherits i on i.inhrelid = t.oid left join pg_class p on p.oid = i.inhparent
   order by coalesce(p.relname, t.relname) collate "C", p.relname nulls first, t.relname collate "C"`;

const COLUMNS = `
  select t.relname as "table", a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
         case when a.attcollation <> y.typcollation then c.collname end as collation,
         a.attnotnull as "notNull", a.attidentity as identity, a.attgenerated as generated,
         pg_get_expr(d.adbin, d.adrelid, true) as expression,
         case when a.attstorage <> y.typstorage
           then case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end
         end as storage,
         col_description(t.oid, a.attnum) as comment
    from ${TABLES_OF_SCHEMA}
    join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    join pg_type y on y.oid = a.atttypid
    left join pg_collation c on c.oid = a.attcollation
    left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
   order by t.relname collate "C", a.attnum`;

/** Without what a partition has from its parent; not-null has constraints of its own in PostgreSQL 18 only. */
const CONSTRAINTS = `
  select t.relname as "table", k.conname as name, pg_get_constraintdef(k.oid, true) as definition,
         k.contype as kind, obj_description(k.oid, 'pg_constraint') as comment
    from ${TABLES_OF_SCHEMA}
    join pg_constraint k on k.conrelid = t.oid and k.contype <> 'n' and k.conparentid = 0 and k.conislocal
   order by t.relname collate "C", array_position('{p,u,x,f,c}'::"char"[], k.contype), k.conname collate "C"`;

/** Without those that a constraint stands for, or that a partition has from its parent. */
const INDEXES = `
  select t.relname as "table", i.relname as name, pg_get_indexdef(i.oid, 0, true) as definition,
         'i' as kind, obj_description(i.oid, 'pg_class') as comment
    from ${TABLES_OF_SCHEMA}
    join pg_index x on x.indrelid = t.oid join pg_class i on i.oid = x.indexrelid
   where not exists (select from pg_constraint k where k.conindid = i.oid and k.contype in ('p', 'u', 'x'))
     and not exists (select from pg_inherits h where h.inhrelid = i.oid)
   order by t.relname collate "C", i.relname collate "C"`;

const POLICIES = `
  select t.relname as "table", p.polname as name, p.polpermissive as permissive,
         case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
           else 'all' end as command,
         array(select case when r = 0 then 'public' else pg_get_userbyid(r)::text end
                 from unnest(p.polroles) r order by 1) as roles,
         pg_get_expr(p.polqual, t.oid, true) as "using", pg_get_expr(p.polwithcheck, t.oid, true) as "check"
    from ${TABLES_OF_SCHEMA}
    join pg_policy p on p.polrelid = t.oid
   order by t.relname collate "C", p.polname collate "C"`;

/** The rights of whoever owns the schema go without saying, and other users' rights are the installation's affair. */
const KNOWN_ROLES = `case when acl.grantee = 0 then 'public' else pg_get_userbyid(acl.grantee)::text end
  in ('public', 'millrace_owner', 'millrace_tenant')`;
const ROLE = `case when acl.grantee = 0 then 'public' else pg_get_userbyid(acl.grantee)::text end as role`;

const GRANTS = `
  select * from (
    select t.relname as "table", null as "column", 0 as position, ${ROLE}, lower(acl.privilege_type) as privilege
      from ${TABLES_OF_SCHEMA}, aclexplode(t.relacl) acl
     where acl.grantee <> t.relowner and ${KNOWN_ROLES}
    union all
    select t.relname, a.attname, a.attnum, ${ROLE}, lower(acl.privilege_type)
      from ${TABLES_OF_SCHEMA}
      join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped,
           aclexplode(a.attacl) acl
     where acl.grantee <> t.relowner and ${KNOWN_ROLES}
  ) every
   order by "table" collate "C", role,
            array_position('{select,insert,update,delete}', privilege), privilege, position`;

const SCHEMA_GRANTS = `
  select ${ROLE}, lower(acl.privilege_type) as privilege
    from pg_namespace n, aclexplode(n.nspacl) acl
   where n.nspname = $1 and acl.grantee <> n.nspowner and ${KNOWN_ROLES}
   order by 1, 2`;

/** Kinds of things that this reader would leave out; it must not do so silently. */
const UNREADABLE = `
  select kind || ' ' || name as thing from (
    select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table'
             when 'S' then 'sequence' else 'composite type' end as kind, c.relname as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind in ('v', 'm', 'f', 'S', 'c')
       and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i') and c.relkind = 'S')
    union all
    select 'function', p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = $1
    union all
    select 'type', y.typname from pg_type y join pg_namespace n on n.oid = y.typnamespace
     where n.nspname = $1 and y.typtype in ('d', 'e', 'r')
    union all
    select 'trigger', g.tgname from pg_trigger g join pg_class c on c.oid = g.tgrelid
      join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and not g.tgisinternal
    union all
    select 'rule', r.rulename from pg_rewrite r join pg_class c on c.oid = r.ev_class
      join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind in ('r', 'p')
    union all
    select 'inheritance of', c.relname from pg_inherits h join pg_class c on c.oid = h.inhrelid
      join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition
  ) every order by 1`;

/** Reads a schema. Throws for a schema that is not there or holds things of kinds that are not read here. */
export async function readCatalogue(client: ClientBase, schema: string): Promise<Catalogue> {
  const rows = async <R extends object>(text: string): Promise<readonly R[]> =>
    (await client.query<R>(text, [schema])).rows;
  const found = await rows('select from pg_namespace where nspname = $1');
  if (found.length === 0) throw new Error(`There is no schema ${schema} to print.`);
  const unreadable = await rows<{ readonly thing: string }>(UNREADABLE);
  if (unreadable.length > 0) {
    const things = unreadable.map(({ thing }) => thing).join(', ');
    throw new Error(
      `The printer of schemas does not know these yet: ${things}. Teach it in schema-catalogue.ts.`,
    );
  }
  return {
    tables: await rows(TABLES),
    columns: await rows(COLUMNS),
    constraints: await rows(CONSTRAINTS),
    indexes: await rows(INDEXES),
    policies: await rows(POLICIES),
    grants: await rows(GRANTS),
    schemaGrants: await rows(SCHEMA_GRANTS),
  };
}
