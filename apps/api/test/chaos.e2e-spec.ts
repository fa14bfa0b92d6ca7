import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { breakageOf, breakages, brokenProgram } from '../../../chaos/breakages';
import { checks } from '../../../chaos/checks/checks';
import { ROOT } from './support/built-application';

jest.setTimeout(300_000);

interface Line {
  readonly title: string;
  readonly figure: string;
  readonly ok: boolean | null;
}

/** The short form of `npm run chaos`; chaos/README.md says what it does. */
describe('the crash lab', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-spec-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs the lab to its end; gives its exit code, all it printed, and the lines of its table. */
  async function lab(result: string, ...args: readonly string[]) {
    const json = join(folder, result);
    const child = spawn(process.execPath, [join(ROOT, 'dist/chaos/main.js'), '--json', json, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => printed.push(text));
    const code = await new Promise<number | null>((resolve) => {
      child.once('close', resolve);
    });
    const output = printed.join('');
    // 2: the lab itself failed.
    if (code !== 0 && code !== 1) throw new Error(`The lab ended with ${code}:\n${output}`);
    const { lines } = JSON.parse(readFileSync(json, 'utf8')) as { readonly lines: readonly Line[] };
    return { code, output, lines };
  }

  it('finds every promise kept after 20 kills, with frozen workers, cut lines and a killed PostgreSQL among them', async () => {
    const { code, output, lines } = await lab(
      'kept.json',
      '--only',
      'kills',
      '--kills',
      '20',
      '--workers',
      '3',
    );
    const broken = lines.filter(({ ok }) => ok === false);
    expect({ broken, output: broken.length === 0 ? '' : output }).toEqual({ broken: [], output: '' });
    expect(code).toBe(0);
    expect(lines.find(({ title }) => title === 'kills')?.figure).toBe('18 of workers, 2 of the API');
  });

  // A breakage whose text is not there any more breaks nothing, and would prove nothing.
  it.each(breakages.map((breakage) => [breakage.name, breakage] as const))(
    'can break the engine of today: %s',
    (_name, breakage) => {
      expect(existsSync(brokenProgram(folder, [breakage]))).toBe(true);
      expect(checks.map(({ title }) => title)).toContain(breakage.reportedAs);
    },
  );

  // One lab for both, which is half as long as one each.
  it('reports an engine whose fence and whose order of checkpoint and effect were broken on purpose', async () => {
    const broken = ['fence', 'checkpoint-order'].map(breakageOf);
    const names = broken.flatMap(({ name }) => ['--break', name]);
    const short = ['--only', 'kills', '--kills', '2', '--runs', '60', '--workers', '3'];
    const { code, output, lines } = await lab('broken.json', ...short, ...names);
    for (const { what } of broken) expect(output).toContain(`Broken on purpose: ${what}`);
    expect(lines.filter(({ ok }) => ok === false).map(({ title }) => title)).toEqual(
      expect.arrayContaining(broken.map(({ reportedAs }) => reportedAs)),
    );
    expect(code).toBe(1);
  });
});
