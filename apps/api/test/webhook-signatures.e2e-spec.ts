import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, signUp } from './support/account';
import { type ApiClient, expectStatus } from './support/api-client';
import { useInstallation } from './support/installation';
import { publish } from './support/workflows';

jest.setTimeout(60_000);

const DOCUMENT = readFileSync(join(__dirname, '../../../docs/reference/webhook-signatures.md'), 'utf8');
const CUSTOM: unknown = JSON.parse(/```json\n([\s\S]*?)```/.exec(DOCUMENT)?.[1] ?? '');

/** The commands of the document, with the preset that each is for. */
const commands = [...DOCUMENT.matchAll(/^```sh (\w+)\n([\s\S]*?)^```$/gm)].map(
  ([, preset = '', script = '']) => ({ preset, script }),
);

const PARAMS: Readonly<Record<string, { readonly params: object; readonly kind: string }>> = {
  ...Object.fromEntries(
    ['github', 'stripe', 'slack', 'standard'].map((preset) => [
      preset,
      { params: { verification: { preset } }, kind: 'signing' },
    ]),
  ),
  custom: { params: { verification: CUSTOM }, kind: 'signing' },
  basic: { params: { auth: { scheme: 'basic', username: 'mill' } }, kind: 'password' },
  bearer: { params: { auth: { scheme: 'bearer' } }, kind: 'bearer' },
};

describe('The commands of the reference of signatures', () => {
  const installation = useInstallation();
  let server: ApiClient;
  let ada: Account;
  let folder: string;

  beforeAll(async () => {
    ({ server } = await installation().start());
    ada = await signUp(server);
    folder = mkdtempSync(join(tmpdir(), 'millrace-signatures-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are there for every preset', () => {
    expect(new Set(commands.map(({ preset }) => preset))).toEqual(new Set(Object.keys(PARAMS)));
  });

  it.each(commands)('sign calls that are taken: $preset', async ({ preset, script }) => {
    const { params = {}, kind = '' } = PARAMS[preset] ?? {};
    const workflow = await publish(ada, {
      nodes: [{ id: 'hook', type: 'trigger.webhook', params }],
      edges: [],
    });
    const [hook] = expectStatus(await ada.api.get(`${workflow.path}/hooks`), 200).data;
    const place = `${workflow.path}/hooks/${hook.id}/secrets/${kind}`;
    const { value } = expectStatus(await ada.api.put(place, {}), 200);
    const call = (secret: string) =>
      promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
        cwd: folder,
        env: {
          PATH: process.env['PATH'],
          HOOK: new URL(workflow.hookPath ?? '', server.url).href,
          SECRET: secret,
        },
      });
    const { stdout } = await call(value);
    expect(JSON.parse(stdout)).toMatchObject({ duplicate: false, runId: expect.any(String) });
    await expect(call(preset === 'standard' ? 'whsec_AAAA' : 'wrong')).rejects.toThrow();
  });
});
