import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CollectingLogger } from '#platform/testing';
import { Sandbox, type SandboxJob } from '../sandbox';
import type { SandboxResult } from '../sandbox-result';

const SOURCES = join(__dirname, '..');

/** A sandbox, and code run in it with what a test has nothing to say about. */
export interface SandboxSubject {
  readonly sandbox: Sandbox;
  readonly logger: CollectingLogger;
  run(code: string, given?: Partial<SandboxJob>): Promise<SandboxResult>;
}

/** A sandbox of one thread. Its threads run the build, so a build that is older than the sources is refused. */
export function aSandbox(options: Partial<ConstructorParameters<typeof Sandbox>[0]> = {}): SandboxSubject {
  refuseStaleBuild();
  const logger = new CollectingLogger();
  const sandbox = new Sandbox({ threads: 1, logger, ...options });
  return {
    sandbox,
    logger,
    run: (code, given = {}) =>
      sandbox.run({
        code,
        input: null,
        workspaceId: 'workspace',
        // Far more than anything here needs: what shall run into its deadline says so.
        timeoutMs: 10_000,
        memoryBytes: 16 * 1024 * 1024,
        nowMs: Date.parse('2026-01-02T03:04:05.678Z'),
        seed: 'run:node',
        signal: new AbortController().signal,
        ...given,
      }),
  };
}

function refuseStaleBuild(): void {
  const built = statSync(require.resolve('#workflows/sandbox-thread')).mtimeMs;
  const newer = readdirSync(SOURCES).find(
    (name) =>
      name.endsWith('.ts') && !name.endsWith('spec.ts') && statSync(join(SOURCES, name)).mtimeMs > built,
  );
  if (newer !== undefined)
    throw new Error(`${newer} is newer than the build: run "npm run build" ("npm test" does).`);
}
