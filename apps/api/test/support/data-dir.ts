import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '#platform/testing';
import { killLeftProcesses } from './millrace-process';
import { alive } from './processes';

/** Gives a test file data folders, and takes them away afterwards together with a server that still runs in one. */
export function useDataDirs(): () => string {
  const made: string[] = [];
  afterAll(async () => {
    await killLeftProcesses();
    for (const folder of made) await remove(folder);
  }, 60_000);
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-e2e-'));
    made.push(folder);
    // For root, whose server runs as another user.
    chmodSync(folder, 0o711);
    return folder;
  };
}

/** The process of the PostgreSQL that runs in a data folder; null when none does. */
export function postmasterOf(dataDir: string): number | null {
  const file = join(dataDir, 'cluster', 'postmaster.pid');
  if (!existsSync(file)) return null;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  return alive([pid]).length > 0 ? pid : null;
}

async function remove(folder: string): Promise<void> {
  const postmaster = postmasterOf(folder);
  if (postmaster !== null) {
    process.kill(postmaster, 'SIGQUIT');
    await eventually(() => expect(alive([postmaster])).toEqual([]));
  }
  rmSync(folder, { recursive: true, force: true });
}
