import { type ClientBase, Client, escapeIdentifier, escapeLiteral } from 'pg';
import {
  type Catalogue,
  type CatalogueColumn,
  type CatalogueDefinition,
  type CatalogueGrant,
  type CataloguePolicy,
  type CatalogueTable,
  readCatalogue,
} from './schema-catalogue';

/** A schema to print, and the name to print it under: cells are alike but for their names. */
export interface PrintedSchema {
  readonly schema: string;
  readonly as?: string;
}

/**
 * Prints schemas as SQL that would make them again on an empty database. The text depends on nothing but the schemas:
 * not on the server's version, the login user, the database's name or the order in which things were made.
 */
export async function printSchemas(url: string, schemas: readonly PrintedSchema[]): Promise<string> {
  const client = new Client({ connectionString: url, application_name: 'millrace-schema' });
  await client.connect();
  try {
    const printed: string[] = [];
    for (const { schema, as = schema } of schemas) printed.push(await printSchema(client, schema, as));
    return printed.join('\n');
  } finally {
    await client.end();
  }
}

async function printSchema(client: ClientBase, schema: string, name: string): Promise<string> {
  await client.query('begin isolation level repeatable read read only');
  try {
    // What PostgreSQL writes depends on these; nothing of them is left to the server's configuration.
    await client.query(`set local search_path = ${escapeIdentifier(schema)};
      set local quote_all_identifiers = off; set local intervalstyle = 'postgres'; set local datestyle = 'ISO';
      set local timezone = 'UTC'; set local bytea_output = 'hex'; set local extra_float_digits = 1;`);
    return textOf(await readCatalogue(client, schema), name);
  } finally {
    await client.query('rollback');
  }
}

function textOf(catalogue: Catalogue, name: string): string {
  const foreignKeys = catalogue.constraints.filter(({ kind }) => kind === 'f');
  const blocks = [
    [
      `create schema ${name};`,
      ...catalogue.schemaGrants.map(
        ({ role, privilege }) => `grant ${privilege} on schema ${name} to ${role};`,
      ),
      `set search_path = ${name};`,
    ],
    ...catalogue.tables.map((table) => tableBlock(catalogue, table)),
    // Last, since tables may refer to each other in a circle.
    foreignKeys.flatMap((key) => [
      `alter table ${key.table} add constraint ${key.name} ${lowered(key.definition)};`,
      ...comment(`constraint ${key.name} on ${key.table}`, key.comment),
    ]),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function tableBlock(catalogue: Catalogue, table: CatalogueTable): readonly string[] {
  const own = <T extends { readonly table: string }>(all: readonly T[]) =>
    all.filter((one) => one.table === table.name);
  const columns = own(catalogue.columns);
  const constraints = own(catalogue.constraints).filter(({ kind }) => kind !== 'f');
  return [
    createTable(table, columns, constraints),
    ...columns.flatMap((column) => columnLines(table, column)),
    // PostgreSQL says ONLY for the index of a partitioned table, which would leave the partitions without it.
    ...own(catalogue.indexes).map(({ definition }) => `${lowered(definition).replace(' on only ', ' on ')};`),
    ...comment(`table ${table.name}`, table.comment),
    ...constraints.flatMap(({ name, comment: text }) => comment(`constraint ${name} on ${table.name}`, text)),
    ...own(catalogue.indexes).flatMap(({ name, comment: text }) => comment(`index ${name}`, text)),
    ...(table.rowSecurity ? [`alter table ${table.name} enable row level security;`] : []),
    ...(table.forceRowSecurity ? [`alter table ${table.name} force row level security;`] : []),
    ...own(catalogue.policies).map(policyLine),
    ...grantLines(own(catalogue.grants)),
  ];
}

function createTable(
  table: CatalogueTable,
  columns: readonly CatalogueColumn[],
  constraints: readonly CatalogueDefinition[],
): string {
  const create = `create ${table.unlogged ? 'unlogged ' : ''}table ${table.name}`;
  const listed = constraints.map(({ name, definition }) => `constraint ${name} ${lowered(definition)}`);
  const tail = [
    ...(table.partitionKey === null ? [] : [` partition by ${lowered(table.partitionKey)}`]),
    ...(table.options === null
      ? []
      : [` with (${table.options.map((option) => option.replace('=', ' = ')).join(', ')})`]),
  ].join('');
  if (table.parent !== null) {
    const bounds = lowered(table.bounds ?? '');
    const inside = listed.length === 0 ? '' : ` (${listed.join(', ')})`;
    return `${create} partition of ${table.parent}${inside} ${bounds}${tail};`;
  }
  return `${create} (\n${[...columns.map(columnText), ...listed].map((line) => `  ${line}`).join(',\n')}\n)${tail};`;
}

function columnText(column: CatalogueColumn): string {
  const { name, collation, notNull } = column;
  const type = column.type.replace('timestamp with time zone', 'timestamptz');
  const expression = column.expression === null ? null : lowered(column.expression);
  return [
    `${name} ${type}`,
    ...(collation === null ? [] : [`collate ${escapeIdentifier(collation)}`]),
    ...(notNull ? ['not null'] : []),
    ...(column.identity === ''
      ? []
      : [`generated ${column.identity === 'a' ? 'always' : 'by default'} as identity`]),
    ...(column.generated === ''
      ? []
      : [`generated always as (${expression ?? ''}) ${GENERATED[column.generated]}`]),
    ...(column.generated === '' && expression !== null ? [`default ${expression}`] : []),
  ].join(' ');
}

const GENERATED = { s: 'stored', v: 'virtual' } as const;

function columnLines(
  table: CatalogueTable,
  { name, storage, comment: text }: CatalogueColumn,
): readonly string[] {
  return [
    ...(storage === null ? [] : [`alter table ${table.name} alter column ${name} set storage ${storage};`]),
    ...comment(`column ${table.name}.${name}`, text),
  ];
}

function policyLine(policy: CataloguePolicy): string {
  return [
    `create policy ${policy.name} on ${policy.table}`,
    ...(policy.permissive ? [] : ['as restrictive']),
    ...(policy.command === 'all' ? [] : [`for ${policy.command}`]),
    `to ${policy.roles.join(', ')}`,
    ...(policy.using === null ? [] : [`\n  using (${lowered(policy.using)})`]),
    ...(policy.check === null ? [] : [`\n  with check (${lowered(policy.check)})`]),
  ]
    .join(' ')
    .replaceAll(' \n', '\n')
    .concat(';');
}

/** One line per role: `grant select, update (name, role) on … to …`. */
function grantLines(grants: readonly CatalogueGrant[]): readonly string[] {
  const roles = [...new Set(grants.map(({ role }) => role))];
  return roles.map((role) => {
    const ofRole = grants.filter((grant) => grant.role === role);
    const privileges = [...new Set(ofRole.map(({ privilege }) => privilege))];
    const texts = privileges.flatMap((privilege) => {
      const same = ofRole.filter((grant) => grant.privilege === privilege);
      const columns = same.flatMap(({ column }) => (column === null ? [] : [column]));
      const onTable = same.some(({ column }) => column === null) ? [privilege] : [];
      return [...onTable, ...(columns.length === 0 ? [] : [`${privilege} (${columns.join(', ')})`])];
    });
    return `grant ${texts.join(', ')} on ${ofRole[0]?.table ?? ''} to ${role};`;
  });
}

function comment(thing: string, text: string | null): readonly string[] {
  return text === null ? [] : [`comment on ${thing} is ${escapeLiteral(text)};`];
}

/** PostgreSQL's own words in lower case, as everywhere in our SQL; literals and quoted names are left alone. */
function lowered(definition: string): string {
  return definition.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Z]+/g, (word) =>
    /^['"]/.test(word) ? word : word.toLowerCase(),
  );
}
