import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './support/free-port';
import { useInstallation } from './support/installation';

jest.setTimeout(120_000);

const ROOT = join(__dirname, '../../..');
const GUIDES = join(ROOT, 'docs/guides');

/** The shell blocks of a guide, in their order, as one script that stops at the first command that fails. */
function scriptOf(guide: string): string {
  const text = readFileSync(join(GUIDES, guide), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
  // A command that answers with a problem document is a step that did not work, though curl ends well.
  const strictCurl = `
    curl() {
      local answer; answer=$(mktemp)
      command curl "$@" > "$answer" || return 1
      if grep -q '"type":"/problems/' "$answer"; then cat "$answer" >&2; rm -f "$answer"; return 22; fi
      cat "$answer"; rm -f "$answer"
    }`;
  return [`set -euo pipefail`, strictCurl, ...blocks, 'echo "the guide has come to its end"'].join('\n');
}

/** Runs a script in bash; gives all it printed and how it ended. */
function run(script: string, environment: Readonly<Record<string, string>>) {
  return new Promise<{ readonly code: number | null; readonly output: string }>((resolve, reject) => {
    const child = spawn('bash', ['-x', '-c', script], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'] ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

describe('The guides', () => {
  const installation = useInstallation();

  it.each(readdirSync(GUIDES))('can be followed from top to bottom: %s', async (guide) => {
    const port = await freePort();
    const { process: millrace } = await installation().start({ PORT: String(port) });
    const { code, output } = await run(scriptOf(guide), { API: millrace.url });
    // One process at a time, as whoever follows a guide has: others would know of its changes seconds later.
    await millrace.stop();
    if (code !== 0) throw new Error(`The guide ${guide} ended with ${code}:\n${output.slice(-6_000)}`);
    expect(output).toContain('the guide has come to its end');
  });
});
