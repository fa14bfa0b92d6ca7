import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder } from './folder-lock';

const CONTENDER = join(__dirname, 'testing', 'lock-contender.cjs');

describe('the lock of a folder', () => {
  let folder: string;
  const contenders: ChildProcess[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
  });
  afterEach(() => {
    for (const contender of contenders.splice(0)) contender.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** Processes that all try to hold the folder whenever they are told to, and report "held" or "busy". */
  async function startContenders(count: number): Promise<readonly ChildProcess[]> {
    const started = Array.from({ length: count }, () => fork(CONTENDER, [folder]));
    contenders.push(...started);
    await Promise.all(started.map((one) => once(one, 'message')));
    return started;
  }

  async function race(all: readonly ChildProcess[]): Promise<readonly unknown[]> {
    const answers = all.map(async (one) => (await once(one, 'message'))[0]);
    for (const one of all) one.send('try');
    return Promise.all(answers);
  }

  it('is held by one, and free again after its release', async () => {
    const first = await lockFolder(folder, '/data');
    await expect(lockFolder(folder, '/data')).rejects.toThrow(
      `The data folder /data is in use by another Millrace (process ${process.pid}).`,
    );
    await first.release();
    await first.release();
    const second = await lockFolder(folder, '/data');
    await second.release();
  });

  it('works at the end of a long path with blanks and letters outside ASCII', async () => {
    const long = join(folder, 'ein Ordner für Daten'.repeat(5), 'データ'.repeat(20));
    mkdirSync(long, { recursive: true });
    const lock = await lockFolder(long, long);
    await expect(lockFolder(long, long)).rejects.toThrow('in use by another Millrace');
    await lock.release();
    await (await lockFolder(long, long)).release();
  });

  it('is one lock for all names of the folder', async () => {
    const other = `${folder}-other-name`;
    symlinkSync(folder, other);
    try {
      const lock = await lockFolder(folder, folder);
      await expect(lockFolder(other, other)).rejects.toThrow('in use');
      await lock.release();
    } finally {
      rmSync(other);
    }
  });

  it('is not held by a killed process, whoever has its number now', async () => {
    const [holder] = await startContenders(1);
    expect(await race(contenders)).toEqual(['held']);
    holder?.kill('SIGKILL');
    if (holder) await once(holder, 'exit');
    // The link of a dead holder that bears the number of a living process: our own.
    symlinkSync(`${process.pid}-000000000000`, join(folder, '99'));
    const lock = await lockFolder(folder, folder);
    expect(readdirSync(folder).filter((name) => /^\d+$/.test(name))).toEqual(['100']);
    await lock.release();
  });

  it('goes to exactly one of many who find it abandoned at the same moment', async () => {
    const all = await startContenders(6);
    for (let round = 0; round < 25; round += 1) {
      const answers = await race(all);
      expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
      // The holder drops it the way a killed process does: the socket goes, the link stays.
      const holder = all[answers.indexOf('held')];
      const dropped = holder && once(holder, 'message');
      holder?.send('drop');
      await dropped;
    }
  }, 20_000);
});
