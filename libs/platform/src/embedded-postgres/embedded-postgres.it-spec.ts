import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { eventually } from '../testing/eventually';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from './embedded-postgres';
import { killOwners, OwnerProcess, sql } from './testing/owner-process';
import { sendSignal } from './postmaster';
import { isAlive, readPostmasterFile } from './server-processes';

// Durable as far as the death of processes goes, which is what these tests are about; only the syncing for a power
// failure, which no test can cause, is left out.
const settings = { fsync: 'off', shared_buffers: '16MB' };

const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, gid: 65_534 };

// A second or two each on an idle machine; a first start is a second of work for the processor alone.
jest.setTimeout(60_000);

describe('an embedded PostgreSQL', () => {
  let folder: string;
  const running: EmbeddedPostgres[] = [];

  /** Starts a server in this process that is stopped after the test, however that ends. */
  async function start(options: Omit<EmbeddedPostgresOptions, 'log'>): Promise<EmbeddedPostgres> {
    const server = await startEmbeddedPostgres({ ...options, log: () => undefined });
    running.push(server);
    return server;
  }

  // Making a cluster is the expensive part (a second of CPU): most tests start on a copy of this one.
  let made: string;
  beforeAll(async () => {
    made = mkdtempSync(join(tmpdir(), 'millrace-made-'));
    chmodSync(made, 0o711);
    const server = await startEmbeddedPostgres({ dataDir: made, settings, log: () => undefined });
    await server.stop();
  });
  afterAll(() => rmSync(made, { recursive: true, force: true }));

  function copyCluster(dataDir: string = folder): void {
    execFileSync('cp', ['-a', `${made}/cluster`, `${made}/passwords.json`, dataDir]);
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-embedded-'));
    chmodSync(folder, 0o711);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()));
    await killOwners();
    killServers(folder);
    await eventually(() => rmSync(folder, { recursive: true, force: true }));
  });

  it('starts on an empty folder, and keeps data, port and passwords over a restart', async () => {
    const dataDir = join(folder, 'new', 'data');
    const first = await start({ dataDir, settings });
    await sql(first.url, 'create table kept as select 42 as answer');
    expect(
      await sql(first.url, 'select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = user'),
    ).toEqual([{ rolsuper: false, rolcreaterole: true, rolcreatedb: true }]);
    expect(await sql(first.adminUrl, "select current_setting('is_superuser') as root")).toEqual([
      { root: 'on' },
    ]);
    expect(await sql(first.url, "select current_setting('data_checksums') as sums")).toEqual([
      { sums: 'on' },
    ]);
    await expect(sql(first.url.replace(/:[^:@]*@/, ':wrong@'), 'select 1')).rejects.toThrow(
      'password authentication failed',
    );
    expect(statSync(join(dataDir, 'passwords.json')).mode & 0o777).toBe(0o600);
    const { pid } = first;
    await Promise.all([first.stop(), first.stop()]);
    await first.stop();
    expect(isAlive(pid)).toBe(false);

    const second = await start({ dataDir, settings });
    expect(second.url).toBe(first.url);
    expect(await sql(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  it('moves to another port if its own was taken meanwhile, but not from one it was told to have', async () => {
    copyCluster();
    const first = await start({ dataDir: folder, settings });
    await first.stop();
    const port = Number(new URL(first.url).port);
    const stranger = createServer().listen(port, '127.0.0.1');
    await once(stranger, 'listening');
    await expect(start({ dataDir: folder, port, settings })).rejects.toThrow(
      `The port ${port} of 127.0.0.1, meant for PostgreSQL, is taken by another program.`,
    );
    const second = await start({ dataDir: folder, settings });
    expect(new URL(second.url).port).not.toBe(String(port));
    await second.stop();
    stranger.close();
  });

  it('is taken over, still running, after kill -9 of its owner', async () => {
    copyCluster();
    const owner = new OwnerProcess({ dataDir: folder, settings });
    const left = await owner.started();
    await sql(left.url, 'create table kept as select 1 as answer');
    await owner.kill();
    expect(isAlive(left.pid)).toBe(true);

    const taken = await start({ dataDir: folder, settings });
    expect(taken.pid).toBe(left.pid);
    expect(taken.url).toBe(left.url);
    expect(await sql(taken.url, 'select answer from kept')).toEqual([{ answer: 1 }]);

    // Even a server that is not our child is restarted when it dies, and stopped at the end.
    sendSignal(taken.pid, 'SIGKILL');
    await eventually(() => expect(taken.pid).not.toBe(left.pid));
    await eventually(() => sql(taken.url, 'select answer from kept'));
    const { pid } = taken;
    await taken.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('recovers with its data after kill -9 of owner and server, even if a statement still runs', async () => {
    copyCluster();
    const owner = new OwnerProcess({ dataDir: folder, settings });
    const left = await owner.started();
    await sql(left.url, 'create table kept as select 2 as answer');
    // A backend that never waits does not notice that its server is gone.
    const busy = sql(left.url, 'select count(*) from generate_series(1, 10000000000)').catch(() => undefined);
    await eventually(async () => {
      const [row] = await sql(
        left.adminUrl,
        "select count(*)::int as n from pg_stat_activity where query like '%generate_series(1,%' and state = 'active' and pid <> pg_backend_pid()",
      );
      expect(row).toEqual({ n: 1 });
    });
    await owner.kill();
    sendSignal(left.pid, 'SIGKILL');
    await eventually(() => expect(isAlive(left.pid)).toBe(false));

    const back = await start({ dataDir: folder, settings });
    expect(await sql(back.url, 'select answer from kept')).toEqual([{ answer: 2 }]);
    await back.stop();
    await busy;
  });

  it('is restarted on the same port when it dies, and says so', async () => {
    copyCluster();
    const exits: unknown[] = [];
    const server = await start({ dataDir: folder, settings, onExit: (exit) => exits.push(exit) });
    await sql(server.url, 'create table kept as select 3 as answer');
    const { pid } = server;
    sendSignal(pid, 'SIGKILL');
    await eventually(() => expect(server.pid).not.toBe(pid));
    expect(await sql(server.url, 'select answer from kept')).toEqual([{ answer: 3 }]);
    expect(exits).toEqual([{ pid, reason: 'SIGKILL' }]);

    // Stopping while it is dead, or on its way back, leaves nothing either.
    sendSignal(server.pid, 'SIGKILL');
    await eventually(() => expect(exits).toHaveLength(2));
    await server.stop();
    const last = readPostmasterFile(join(folder, 'cluster'));
    expect(last !== undefined && isAlive(last.pid)).toBe(false);
  });

  it('belongs to one Millrace: a second start says by whom it is used', async () => {
    copyCluster();
    const owner = new OwnerProcess({ dataDir: folder, settings });
    await owner.started();
    await expect(start({ dataDir: folder, settings })).rejects.toThrow(
      `The data folder ${folder} is in use by another Millrace (process ${owner.pid}).`,
    );
    await owner.stop();
  });

  it('is not stopped by a stale postmaster.pid that names a living stranger', async () => {
    copyCluster();
    const first = await start({ dataDir: folder, settings });
    await first.stop();
    const port = new URL(first.url).port;
    const file = join(folder, 'cluster', 'postmaster.pid');
    // As after a container's restart, in which the numbers of processes start again from the beginning. For PostgreSQL a
    // stranger of the same user is a running server.
    const stranger = spawn('sleep', ['60'], isRoot ? NOBODY : {});
    await once(stranger, 'spawn');
    const { pid } = stranger;
    writeFileSync(file, `${pid}\n${folder}/cluster\n1763640000\n${port}\n\n127.0.0.1\n`);
    const second = await start({ dataDir: folder, settings });
    expect(second.pid).not.toBe(pid);
    expect(stranger.exitCode).toBeNull();
    await second.stop();
    stranger.kill();
  });

  it('leaves nothing half made when a first start is killed or called off', async () => {
    const killed = new OwnerProcess({ dataDir: folder, settings });
    await eventually(() =>
      expect(readdirSync(folder)).toContainEqual(expect.stringMatching(/^cluster\.init-/)),
    );
    await killed.kill();
    expect(existsSync(join(folder, 'cluster'))).toBe(false);

    const calledOff = new OwnerProcess({ dataDir: folder, settings });
    await eventually(() => expect(calledOff.logs).toHaveLength(1));
    await calledOff.stop();
    await expect(calledOff.started()).rejects.toThrow(
      'The start of the embedded PostgreSQL was interrupted.',
    );

    const server = await start({ dataDir: folder, settings });
    expect(await sql(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
    expect(readdirSync(folder).toSorted()).toEqual([
      'cluster',
      'lock',
      'passwords.json',
      'port',
      'postgres.log',
    ]);
  });

  it('heals a first start that ended before the application had its database', async () => {
    copyCluster();
    const first = await start({ dataDir: folder, settings });
    await sql(first.adminUrl, 'drop database millrace');
    await sql(first.adminUrl, 'drop role millrace');
    await first.stop();
    const second = await start({ dataDir: folder, settings });
    expect(await sql(second.url, 'select user as who')).toEqual([{ who: 'millrace' }]);
    await second.stop();
  });

  it('refuses a cluster of another major version, and a folder that is no cluster', async () => {
    mkdirSync(join(folder, 'cluster'));
    writeFileSync(join(folder, 'passwords.json'), '{"superuser":"a","application":"b"}');
    await expect(start({ dataDir: folder, settings })).rejects.toThrow('is not a PostgreSQL cluster');
    writeFileSync(join(folder, 'cluster', 'PG_VERSION'), '17\n');
    await expect(start({ dataDir: folder, settings })).rejects.toThrow(
      /was made by PostgreSQL 17 and this Millrace carries PostgreSQL 18: dump it/,
    );
  });

  it('gives the reason in one sentence when PostgreSQL does not accept a setting', async () => {
    copyCluster();
    const wrong = { ...settings, work_mem: 'a lot' };
    const started = start({ dataDir: folder, settings: wrong });
    await expect(started).rejects.toThrow(/PostgreSQL did not start in .*work_mem/);
  });

  it('works under a long path with blanks and letters outside ASCII', async () => {
    const dataDir = join(folder, 'ein Ordner für Daten'.repeat(4), 'データ'.repeat(15));
    mkdirSync(dataDir, { recursive: true });
    copyCluster(dataDir);
    const owner = new OwnerProcess({ dataDir, settings });
    const left = await owner.started();
    await owner.kill();
    const server = await start({ dataDir, settings });
    expect(server.pid).toBe(left.pid);
    await server.stop();
  });

  const asRoot = isRoot ? it : it.skip;

  asRoot('runs for root in a folder that only root may enter', async () => {
    chmodSync(folder, 0o700);
    const dataDir = join(folder, 'data');
    for (const round of [1, 2]) {
      const server = await start({ dataDir, settings });
      await sql(server.url, `create table round_${round} ()`);
      expect(uidOf(server.pid)).toBe(0);
      await server.stop();
    }
    expect(statSync(join(dataDir, 'cluster')).uid).toBe(0);

    // Once others may enter, the cluster goes to the user PostgreSQL runs as; and back again.
    chmodSync(folder, 0o711);
    const open = await start({ dataDir, settings });
    expect(uidOf(open.pid)).toBe(NOBODY.uid);
    await open.stop();
    chmodSync(folder, 0o700);
    const closed = await start({ dataDir, settings });
    expect(uidOf(closed.pid)).toBe(0);
    await closed.stop();
  });

  asRoot('runs for an ordinary user, and says whose folder it is to another', async () => {
    const dataDir = join(folder, 'data');
    mkdirSync(dataDir);
    const denied = new OwnerProcess({ dataDir, settings }, NOBODY);
    await expect(denied.started()).rejects.toThrow(/The data folder .* cannot be used: EACCES/);
    rmSync(dataDir, { recursive: true });
    chmodSync(folder, 0o777);
    for (const round of [1, 2]) {
      const owner = new OwnerProcess({ dataDir, settings }, NOBODY);
      const server = await owner.started();
      await sql(server.url, `create table round_${round} ()`);
      await owner.stop();
      expect(isAlive(server.pid)).toBe(false);
    }
    // Root runs it as its owner, and leaves it to that one.
    const byRoot = await start({ dataDir, settings });
    expect(uidOf(byRoot.pid)).toBe(NOBODY.uid);
    await byRoot.stop();
    const again = new OwnerProcess({ dataDir, settings }, NOBODY);
    await again.started();
    await again.stop();
  });
});

/** The owner of a process, as /proc shows it. */
function uidOf(pid: number): number {
  return Number(/^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? -1);
}

/** Servers of owners that a test killed. */
function killServers(folder: string): void {
  for (const dir of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (dir.name !== 'postmaster.pid') continue;
    const pid = Number(readFileSync(join(dir.parentPath, dir.name), 'utf8').split('\n')[0]);
    if (pid > 1) sendSignal(pid, 'SIGQUIT');
  }
}
