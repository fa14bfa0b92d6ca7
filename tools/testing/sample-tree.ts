import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const REPOSITORY = resolve(__dirname, '../..');
const RULES = ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs', '.oxlintrc.json', 'tools/lint'];

/** What a command printed and how it ended. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A small repository in a temporary folder that is judged by the rules of this one: the same configuration files, the
 * same packages, other sources. Bad files can live there without troubling the checks of the real tree.
 */
export class SampleTree {
  private constructor(readonly root: string) {}

  /** Takes the files as path → text. Call `remove()` when done. */
  static async create(files: Readonly<Record<string, string>>): Promise<SampleTree> {
    const root = await mkdtemp(join(tmpdir(), 'millrace-sample-'));
    await symlink(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
    for (const name of RULES) {
      await cp(join(REPOSITORY, name), join(root, name), { recursive: true });
    }
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    return new SampleTree(root);
  }

  /** Runs a tool of node_modules inside the tree. A non-zero exit is an outcome, not an error. */
  async run(tool: string, args: readonly string[]): Promise<Outcome> {
    const command = [join(REPOSITORY, 'node_modules', tool), ...args];
    try {
      const done = await promisify(execFile)(process.execPath, command, {
        cwd: this.root,
        maxBuffer: 64 * 1024 * 1024,
      });
      return { exitCode: 0, ...done };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
      if (typeof code !== 'number') throw error;
      return { exitCode: code, stdout, stderr };
    }
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
