import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DataSource } from 'typeorm';
import { cellDataSourceOptions, FIRST_CELL, knownStatements, Migrator, printSchemas } from '#platform';
import { eventually, useEmptyDatabases, useTestDb } from '#platform/testing';
import { migrations } from './index';

const ROOT = join(__dirname, '..');
const PLANES = ['control', 'cell'] as const;
const SCHEMAS = ['control', 'cell_1', 'cell_2'];
const LIBS = ['platform', 'identity', 'workspaces', 'workflows', 'billing'];

const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Paths below a folder, with / between. */
function filesOf(folder: string): readonly string[] {
  const found = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return found.map((path) => `${folder}/${path.replaceAll('\\', '/')}`).toSorted();
}

/** `schema.sql` without its head, which says only what it is. */
const committedSchema = () => textOf('schema.sql').replace(/^(--.*\n|\n)+/, '');

const printBoth = (url: string) => printSchemas(url, [{ schema: 'control' }, { schema: 'cell_1' }]);

describe('the files of migrations', () => {
  const files = PLANES.flatMap((plane) => filesOf(`migrations/${plane}`));

  it.each(PLANES)('are listed in order in the plane %s, each class named like its file', (plane) => {
    const listed = migrations[plane].map(({ name }) => name);
    const classes = filesOf(`migrations/${plane}`).map((path) => {
      const [, timestamp, name] = /^(\d{13})-([A-Z][A-Za-z]+)\.ts$/.exec(basename(path)) ?? [];
      return `${name}${timestamp}`;
    });
    expect(listed).toEqual(classes);
  });

  it('have timestamps that no two share', () => {
    const timestamps = files.map((path) => basename(path).split('-')[0]);
    expect(new Set(timestamps).size).toBe(timestamps.length);
  });

  it.each(files)('end their comment with what a rollback means: %s', (path) => {
    const [, comment = ''] = /\/\*\*([\s\S]*?)\*\/\nexport class/.exec(textOf(path)) ?? [];
    const [, note = ''] = /\n \* Rollback: ([\s\S]+)$/.exec(comment) ?? [];
    expect(note.trim()).not.toBe('');
    expect(comment).not.toMatch(/[<>]/);
  });

  // To add a new file: npm run generate. A file that has been released never changes: what it did is corrected by a
  // new migration. Until then its line may be taken out of hashes.json by hand, and made again by npm run generate.
  it('have not changed since they were recorded in hashes.json', () => {
    const digests = ['migrations/policies.ts', ...files].map((path) => [
      path.replace('migrations/', ''),
      createHash('sha256').update(textOf(path)).digest('hex'),
    ]);
    expect(JSON.parse(textOf('migrations/hashes.json'))).toEqual(Object.fromEntries(digests));
  });
});

describe('migrating', () => {
  const emptyDatabase = useEmptyDatabases();

  it('up, all the way down and up again gives schema.sql each time', async () => {
    const url = await emptyDatabase();
    const migrator = new Migrator(url, migrations);
    await migrator.up();
    expect(await printBoth(url)).toBe(committedSchema());
    for (const plane of ['cell', 'control'] as const) {
      const reverted: string[] = [];
      for (let step = await migrator.revert(plane); step.length > 0; step = await migrator.revert(plane)) {
        reverted.push(...step);
      }
      expect(reverted).toHaveLength(migrations[plane].length);
    }
    expect(await printBoth(url)).not.toMatch(/create (table|index|policy)/);
    await migrator.up();
    expect(await printBoth(url)).toBe(committedSchema());
  }, 60_000);

  it('takes back one step at a time, in every cell, and tells where it stands', async () => {
    const migrator = new Migrator(await emptyDatabase(), migrations);
    await migrator.createCell('cell_2');
    const newest = migrations.cell.at(-1)?.name;
    expect(await migrator.revert('cell')).toEqual([`cell_1: ${newest}`, `cell_2: ${newest}`]);
    const pending = (await migrator.status()).filter(({ state }) => state !== 'applied');
    expect(pending).toEqual(
      ['cell_1', 'cell_2'].map((schema) => ({ schema, name: newest, state: 'pending' })),
    );
    expect(await migrator.up()).toEqual([`cell_1: ${newest}`, `cell_2: ${newest}`]);
  }, 60_000);

  it('does not touch what a newer version has applied', async () => {
    const url = await emptyDatabase();
    await new Migrator(url, migrations).up();
    const older = new Migrator(url, { ...migrations, cell: migrations.cell.slice(0, -1) });
    const newest = migrations.cell.at(-1)?.name;
    expect(await older.up()).toEqual([]);
    expect((await older.status()).at(-1)).toEqual({ schema: 'cell_1', name: newest, state: 'unknown' });
    await expect(older.revert('cell')).rejects.toThrow('revert it with the version that brought it');
  }, 60_000);

  // Without the advisory lock of Migrator, one of them failed here with: type "idempotency_keys" already exists.
  it('is done once by processes that start together', async () => {
    const url = await emptyDatabase();
    const both = [new Migrator(url, migrations), new Migrator(url, migrations)];
    const applied = await Promise.all(both.map((migrator) => migrator.up()));
    expect(applied.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([
      0,
      migrations.control.length + migrations.cell.length,
    ]);
    expect(await printBoth(url)).toBe(committedSchema());
  }, 60_000);

  // Seen to fail (the process ends of an unhandled 'error' event) with connections that nobody listens to.
  it('fails when its connections are ended, instead of taking the process down, and can be done again', async () => {
    const url = await emptyDatabase();
    const others = await new DataSource({ type: 'postgres', url, installExtensions: false }).initialize();
    const holder = others.createQueryRunner();
    try {
      // Whoever migrates waits for its turn, with one connection idle in hand.
      await holder.query('select pg_advisory_lock($1)', [0x6d72]);
      const migrating = new Migrator(url, migrations).up();
      const failure = migrating.catch((error: unknown) => error);
      await eventually(async () => {
        const ended: unknown[] = await holder.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and wait_event_type = 'Lock'`,
        );
        expect(ended).toHaveLength(1);
      });
      expect(await failure).toBeInstanceOf(Error);
    } finally {
      await holder.release();
      await others.destroy();
    }
    expect(await new Migrator(url, migrations).up()).not.toEqual([]);
  }, 60_000);

  it('brings history into its class, by months, and back', async () => {
    const url = await emptyDatabase();
    const upTo = (name: string) =>
      migrations.cell.slice(
        0,
        migrations.cell.findIndex((one) => one.name === name),
      );
    const before = new Migrator(url, { ...migrations, cell: upTo('RetentionClasses1795264000000') });
    await before.up();
    const client = await new DataSource(
      cellDataSourceOptions({ url, poolSize: 1, cellId: FIRST_CELL, applicationName: 'test', entities: [] }),
    ).initialize();
    const ids = [
      '019a9467-e800-7000-8000-000000000001',
      '019b9467-e800-7000-8000-000000000002',
      'eeeeeeee-0000-4000-8000-000000000003',
    ];
    try {
      await client.query(
        `insert into workflow_runs (id, workspace_id, workflow_id, version_id, trigger_node, trigger_kind, started_by, input)
         select id, id, id, id, 'start', 'trigger.manual', 'user:test', '{"n":1}' from unnest($1::uuid[]) id`,
        [ids],
      );
      await client.query(
        `insert into workflow_node_runs (run_id, node_id, workspace_id, status, started_at, finished_at)
         select id, 'start', id, 'succeeded', now(), now() from workflow_runs`,
      );
      await client.query(
        `insert into workflow_run_events (run_id, first_seq, last_seq, workspace_id, events) select id, 2, 3, id, '[]' from workflow_runs`,
      );
      await client.query(
        `insert into run_queue (run_id, workspace_id, workflow_id, state, turn) select id, id, id, 'queued', 1 from workflow_runs`,
      );
      const migrator = new Migrator(url, migrations);
      await migrator.up();
      const rows = () =>
        client.query(
          `select r.id, r.tableoid::regclass::text as run, n.tableoid::regclass::text as node, e.tableoid::regclass::text as event
           from workflow_runs r join workflow_node_runs n on n.run_id = r.id join workflow_run_events e on e.run_id = r.id
           join run_queue q on q.run_id = r.id order by r.id`,
        );
      expect(await rows()).toEqual(
        ['20251101', '20260101', 'default'].map((month, index) => ({
          id: ids[index],
          run: `workflow_runs_365d_${month}`,
          node: `workflow_node_runs_365d_${month}`,
          event: `workflow_run_events_365d_${month}`,
        })),
      );
      while (!(await migrator.revert('cell')).some((step) => step.endsWith('RetentionClasses1795264000000')));
      expect(await rows()).toHaveLength(3);
    } finally {
      await client.destroy();
    }
  }, 60_000);

  it('makes nothing that schema.sql could not make as well', async () => {
    const url = await emptyDatabase();
    const source = await new DataSource({ type: 'postgres', url, installExtensions: false }).initialize();
    await source.query(committedSchema()).finally(() => source.destroy());
    expect(await printBoth(url)).toBe(committedSchema());
  });
});

describe('the schema', () => {
  const testDb = useTestDb({ cells: ['cell_2'] });

  /** Runs a query that finds offenders, as texts; what it finds is the failure. */
  async function offenders(text: string): Promise<readonly string[]> {
    const rows = await testDb().sql<{ offender: string }>(text, [SCHEMAS]);
    return rows.map(({ offender }) => offender);
  }

  it('of a second cell is the first one under another name', async () => {
    const print = (schema: string) => printSchemas(testDb().url, [{ schema, as: 'cell' }]);
    expect(await print('cell_2')).toBe(await print('cell_1'));
  });

  it('isolates tenants in every table with a workspace_id, partitions included', async () => {
    const isolation = `(workspace_id = (NULLIF(current_setting(''millrace.workspace_id''::text, true), ''''::text))::uuid)`;
    expect(
      await offenders(`
        select t.oid::regclass::text as offender
          from pg_class t join pg_namespace n on n.oid = t.relnamespace and n.nspname = any($1)
          join pg_attribute a on a.attrelid = t.oid and a.attname = 'workspace_id' and not a.attisdropped
         where t.relkind in ('r', 'p')
           and not (t.relrowsecurity and t.relforcerowsecurity and exists (
             select from pg_policy p
              where p.polrelid = t.oid and p.polroles = array['millrace_tenant'::regrole::oid] and p.polcmd = '*'
                and pg_get_expr(p.polqual, t.oid) = '${isolation}'
                and pg_get_expr(p.polwithcheck, t.oid) = '${isolation}'))`),
    ).toEqual([]);
  });

  // History is read and appended by its owner, and rewritten by nobody.
  it('lets no other policy hold for tenants, and forces row-level security wherever there is any', async () => {
    expect(
      await offenders(`
        select t.oid::regclass || ' ' || p.polname as offender
          from pg_policy p join pg_class t on t.oid = p.polrelid
          join pg_namespace n on n.oid = t.relnamespace and n.nspname = any($1)
         where not (p.polname = 'owner_access' and p.polroles = array['millrace_owner'::regrole::oid])
           and not (p.polrelid = 'control.workspace_audit_log'::regclass
                    and (p.polname, p.polcmd) in (('owner_reads', 'r'), ('owner_appends', 'a'))
                    and p.polroles = array['millrace_owner'::regrole::oid])
           and not (p.polname = 'tenant_isolation' and p.polroles = array['millrace_tenant'::regrole::oid])
        union all
        select t.oid::regclass::text from pg_class t
          join pg_namespace n on n.oid = t.relnamespace and n.nspname = any($1)
         where t.relrowsecurity <> t.relforcerowsecurity`),
    ).toEqual([]);
  });

  it('has no foreign key that leaves its schema', async () => {
    expect(
      await offenders(`
        select k.conname as offender from pg_constraint k
          join pg_class a on a.oid = k.conrelid join pg_class b on b.oid = k.confrelid
          join pg_namespace n on n.oid = a.relnamespace and n.nspname = any($1)
         where k.contype = 'f' and a.relnamespace <> b.relnamespace`),
    ).toEqual([]);
  });

  // An index serves a key if it begins with its columns, in any order, or if it finds a single row by some of them.
  it('has an index for every foreign key', async () => {
    expect(
      await offenders(`
        select k.conrelid::regclass || ' ' || k.conname as offender from pg_constraint k
          join pg_namespace n on n.oid = k.connamespace and n.nspname = any($1)
         where k.contype = 'f' and not exists (
           select from pg_index i
             cross join lateral (select (i.indkey::int2[])[0:i.indnkeyatts - 1] as keys) c
            where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null
              and (keys[1:cardinality(k.conkey)] @> k.conkey or (i.indisunique and keys <@ k.conkey)))`),
    ).toEqual([]);
  });

  it('names constraints and indexes after their table and kind', async () => {
    expect(
      await offenders(`
        select k.conrelid::regclass || ' ' || k.conname as offender from pg_constraint k
          join pg_class t on t.oid = k.conrelid and not t.relispartition and t.relname <> 'migrations'
          join pg_namespace n on n.oid = t.relnamespace and n.nspname = any($1)
         where k.contype <> 'n' and (not starts_with(k.conname, t.relname || '_')
           or k.conname !~ case k.contype when 'p' then '_pkey$' when 'u' then '_key$' when 'f' then '_fkey$' else '_check$' end)
        union all
        select i.indexrelid::regclass::text from pg_index i
          join pg_class t on t.oid = i.indrelid and not t.relispartition and t.relname <> 'migrations'
          join pg_class x on x.oid = i.indexrelid
          join pg_namespace n on n.oid = t.relnamespace and n.nspname = any($1)
         where not starts_with(x.relname, t.relname || '_') or x.relname !~ '_(idx|key|pkey)$'`),
    ).toEqual([]);
  });
});

/** What a file exports, loaded by its path: a test of all libs can name none of them. */
async function exportsOf(path: string): Promise<readonly unknown[]> {
  const module = (await import(join(ROOT, path))) as Record<string, unknown>;
  return Object.values(module);
}

async function tablesOf(lib: string): Promise<readonly string[]> {
  const path = lib === 'platform' ? `libs/${lib}/src/db/tables.ts` : `libs/${lib}/src/tables.ts`;
  const lists = (await exportsOf(path)).filter(
    (value): value is readonly string[] =>
      Array.isArray(value) && value.every((entry) => typeof entry === 'string'),
  );
  return lists.flat();
}

/** The classes of a lib's `*.entity.ts` files. */
async function entitiesOf(lib: string): Promise<readonly (new () => object)[]> {
  const paths = filesOf(`libs/${lib}/src`).filter((path) => path.endsWith('.entity.ts'));
  const exported = (await Promise.all(paths.map(exportsOf))).flat();
  return exported.filter((value): value is new () => object => typeof value === 'function');
}

/** Names and texts of the statements that a lib makes: those that loading it adds to the ones of `loaded` libs. */
async function statementsOf(
  lib: string,
  loaded: readonly ReadonlyMap<string, string>[],
): Promise<ReadonlyMap<string, string>> {
  const sources = filesOf(`libs/${lib}/src`).filter(
    (path) =>
      /(?<!spec|fixture|\.d)\.ts$/.test(path) && !path.includes('/testing/') && !path.endsWith('.module.ts'),
  );
  for (const path of sources.filter((source) => /\bstatement[<(]/.test(textOf(source))))
    await exportsOf(path);
  return new Map([...knownStatements()].filter(([name]) => loaded.every((other) => !other.has(name))));
}

describe('the tables of libs', () => {
  const testDb = useTestDb();
  const statements = new Map<string, ReadonlyMap<string, string>>();

  beforeAll(async () => {
    // One after the other and platform first, so that each statement is counted where it is made.
    for (const lib of LIBS) statements.set(lib, await statementsOf(lib, [...statements.values()]));
  }, 120_000);

  async function entitySource(entities: readonly (new () => object)[]): Promise<DataSource> {
    const connection = {
      url: testDb().url,
      cellId: FIRST_CELL,
      poolSize: 1,
      applicationName: 'millrace-test',
    };
    return new DataSource(cellDataSourceOptions({ ...connection, entities: [...entities] })).initialize();
  }

  it('are all tables there are, each in one lib', async () => {
    const claimed = (await Promise.all(LIBS.map(tablesOf))).flat();
    const found = await testDb().sql<{ name: string }>(
      `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('control', 'cell_1') and c.relkind in ('r', 'p') and not c.relispartition
          and c.relname <> 'migrations'`,
    );
    expect(claimed.toSorted()).toEqual(found.map(({ name }) => name).toSorted());
  });

  it.each(LIBS)('are named by no statement or entity of another lib: %s', async (lib) => {
    const others = (await Promise.all(LIBS.filter((other) => other !== lib).map(tablesOf))).flat();
    const named = [...(statements.get(lib) ?? [])].flatMap(([name, text]) =>
      others.filter((table) => namesTable(text, table)).map((table) => `${name} names ${table}`),
    );
    expect(named).toEqual([]);
    expect(statements.get(lib)?.size).toBeGreaterThan(0);
    const source = await entitySource(await entitiesOf(lib));
    const mapped = source.entityMetadatas.map(({ tableName }) => tableName);
    await source.destroy();
    const own = await tablesOf(lib);
    expect(mapped.filter((table) => !own.includes(table))).toEqual([]);
  });

  it('have every column of their entities, with its type and nullability', async () => {
    const entities = (await Promise.all(LIBS.map(entitiesOf))).flat();
    const source = await entitySource(entities);
    const mapped = source.entityMetadatas.flatMap((entity) =>
      entity.columns.map((column) => ({
        column: `${entity.tableName}.${column.databaseName}`,
        type: source.driver.normalizeType(column) + (column.isArray ? '[]' : ''),
        nullable: column.isNullable,
      })),
    );
    await source.destroy();
    const live = await testDb().sql<(typeof mapped)[number]>(
      `select c.relname || '.' || a.attname as column, format_type(a.atttypid, null) as type,
              not a.attnotnull as nullable
         from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('control', 'cell_1')
         join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relkind in ('r', 'p')`,
    );
    const liveByName = new Map(live.map((column) => [column.column, column]));
    expect(mapped.length).toBeGreaterThan(0);
    expect(mapped.map(({ column }) => liveByName.get(column) ?? `${column} is not there`)).toEqual(mapped);
  });

  it('are there for every statement: each can be prepared', async () => {
    const wrong: string[] = [];
    for (const [name, text] of [...statements.values()].flatMap((ofLib) => [...ofLib])) {
      const prepared = testDb().sql(`prepare "${name}" as ${text}; deallocate "${name}"`);
      await prepared.catch((error: unknown) => wrong.push(`${name}: ${String(error)}`));
    }
    expect(wrong).toEqual([]);
  });
});

/** Whether an SQL text has a word for a table: names of columns behind a dot, aliases and comments do not count. */
function namesTable(text: string, table: string): boolean {
  const code = text.replaceAll(/--.*$/gm, '').replaceAll(/'(?:[^']|'')*'/g, "''");
  return new RegExp(`(?<![.\\w"])${table}(?![\\w"(])`).test(code);
}
