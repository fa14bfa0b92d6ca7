import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client } from 'pg';

/** What may be said over a process border. */
interface OwnerOptions {
  readonly dataDir: string;
  readonly port?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** What the started server told. */
interface Started {
  readonly url: string;
  readonly adminUrl: string;
  readonly pid: number;
}

const owners = new Set<OwnerProcess>();

/** A process that starts and owns an embedded PostgreSQL, for tests that kill it. */
export class OwnerProcess {
  readonly logs: string[] = [];
  readonly #child: ChildProcess;
  readonly #outcome: Promise<Started | string>;
  readonly #exit: Promise<unknown>;

  constructor(options: OwnerOptions, identity: { readonly uid?: number; readonly gid?: number } = {}) {
    const script = join(__dirname, 'owner-main.cjs');
    // swc unpacks its addon into a folder for temporary files, which has to be one that any user may write to.
    const env = { ...process.env, TMPDIR: '/tmp' };
    this.#child = fork(script, [JSON.stringify(options)], { ...identity, env, cwd: '/' });
    owners.add(this);
    this.#exit = once(this.#child, 'exit').then(() => owners.delete(this));
    this.#outcome = new Promise((resolve) => {
      this.#child.on('message', (message: { log?: string; started?: Started; failed?: string }) => {
        if (message.log !== undefined) this.logs.push(message.log);
        if (message.started !== undefined) resolve(message.started);
        if (message.failed !== undefined) resolve(message.failed);
      });
      this.#child.once('exit', () => resolve('the owner ended without a word'));
    });
  }

  /** The server, or the error the start failed with. */
  async started(): Promise<Started> {
    const outcome = await this.#outcome;
    if (typeof outcome === 'string') throw new Error(outcome);
    return outcome;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }

  /** Calls off a start that is under way, or stops the server. */
  async stop(): Promise<void> {
    this.#child.send('stop');
    await this.#exit;
  }
}

/** For the end of a test that failed in the middle. */
export async function killOwners(): Promise<void> {
  await Promise.all([...owners].map((owner) => owner.kill()));
}

/** Runs one statement on a connection of its own. */
export async function sql(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows;
  } finally {
    await client.end();
  }
}
