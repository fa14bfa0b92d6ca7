import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { useEmptyDatabases } from '#platform/testing';
import { checkDatabase, DatabaseCheckError } from './check-database';
import { ensureRoles } from './roles';

describe('checkDatabase', () => {
  const suffix = randomBytes(6).toString('hex');
  const made: string[] = [];
  let url = '';
  let admin: Client;

  // Before the hook that drops the database: Jest runs them in this order.
  afterAll(async () => {
    for (const user of made) {
      await admin.query(`drop owned by ${user}`);
      await admin.query(`drop role ${user}`);
    }
    await admin.end();
  });

  const emptyDatabase = useEmptyDatabases();
  beforeAll(async () => {
    url = await emptyDatabase();
    admin = new Client({ connectionString: url });
    await admin.connect();
    await ensureRoles(admin);
  });

  /** A login user of no rights, whom the administrator of the test can act for; gives its address. */
  async function newUser(name: string): Promise<{ readonly user: string; readonly address: string }> {
    const user = `check_${name}_${suffix}`;
    await admin.query(`create role ${user} login password 'secret-of-${user}'`);
    await admin.query(`grant ${user} to current_user`);
    made.push(user);
    const address = new URL(url);
    address.username = user;
    address.password = `secret-of-${user}`;
    return { user, address: address.toString() };
  }

  async function failureOf(address: string): Promise<DatabaseCheckError> {
    const failure: unknown = await checkDatabase(address).catch((error: unknown) => error);
    if (!(failure instanceof DatabaseCheckError)) throw new Error('The check has found nothing wrong.');
    return failure;
  }

  it('finds nothing wrong with a user who may create databases and roles', async () => {
    await expect(checkDatabase(url)).resolves.toBeUndefined();
  });

  it('names what a bare user lacks, in statements that help when they are run', async () => {
    const { user, address } = await newUser('bare');
    const { remedies, message } = await failureOf(address);
    expect(remedies).toEqual([
      expect.stringMatching(`^grant millrace_owner to ${user}( with set true, inherit true)?;$`),
      expect.stringMatching(`^grant millrace_tenant to ${user}( with set true, inherit true)?;$`),
      expect.stringMatching(`^grant create on database millrace_empty_[0-9a-f]+ to ${user};$`),
    ]);
    for (const remedy of remedies) expect(message).toContain(`\n  ${remedy}`);
    for (const remedy of remedies) await admin.query(remedy);
    await expect(checkDatabase(address)).resolves.toBeUndefined();
  });

  it('sees that a membership without SET or INHERIT is not enough', async () => {
    const { user, address } = await newUser('barred');
    const { rows } = await admin.query<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    );
    const hasOptions = (rows[0]?.version ?? 0) >= 160_000;
    const options = hasOptions ? ' with set false, inherit false' : '';
    if (!hasOptions) await admin.query(`alter role ${user} noinherit`);
    await admin.query(`grant millrace_owner, millrace_tenant to ${user}${options}`);
    await admin.query(`grant create on database ${new URL(url).pathname.slice(1)} to ${user}`);
    const { remedies } = await failureOf(address);
    expect(remedies).toHaveLength(hasOptions ? 2 : 1);
    for (const remedy of remedies) await admin.query(remedy);
    await expect(checkDatabase(address)).resolves.toBeUndefined();
  });

  it('names the schemas and tables of another owner', async () => {
    const { user, address } = await newUser('late');
    await admin.query(
      'create schema control; create table control.cells (id text); create table control.users ()',
    );
    const { remedies } = await failureOf(address);
    expect(remedies).toEqual(
      expect.arrayContaining([
        `alter schema control owner to ${user};`,
        `alter table control.cells owner to ${user};`,
        `alter table control.users owner to ${user};`,
      ]),
    );
    for (const remedy of remedies) await admin.query(remedy);
    await expect(checkDatabase(address)).resolves.toBeUndefined();
  });

  it('says why it cannot connect, and repeats no password', async () => {
    const address = new URL(url);
    address.password = 'a-wrong-password';
    address.pathname = '/there_is_no_such_database';
    const { message } = await failureOf(address.toString());
    expect(message).toMatch(/^Cannot connect to the database at [^ ]+\/there_is_no_such_database: .+\.$/);
    expect(message).not.toContain('a-wrong-password');
    address.port = '1';
    expect((await failureOf(address.toString())).message).toContain('ECONNREFUSED');
  });
});
