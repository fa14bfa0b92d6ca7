import { eventually } from '#platform/testing';
import { signUp } from './support/account';
import { expectStatus } from './support/api-client';
import { useInstallation } from './support/installation';
import { publish } from './support/workflows';

jest.setTimeout(60_000);

const nodes = [
  { id: 'start', type: 'trigger.manual' },
  { id: 'end', type: 'set', params: { values: {} } },
];
const edges = [{ from: 'start', to: 'end' }];

describe('limits of runs', () => {
  const installation = useInstallation({ DEFAULT_PLAN: 'solo' });

  it('hold and let go over HTTP, with two workers', async () => {
    const { start } = installation();
    const [one] = await Promise.all([start(), start({ ROLES: 'worker' })]);
    const ada = await signUp(one.server);
    const workflow = await publish(ada, {
      nodes,
      edges,
      settings: { concurrency: { limit: 1, key: '{{ trigger.customer }}' }, priority: 'low' },
    });
    const invalid = await ada.api.post(`${workflow.path}/runs`, { input: {} });
    expect(expectStatus(invalid, 422)).toMatchObject({
      code: 'run.concurrency_key_invalid',
      expression: '{{ trigger.customer }}',
    });
    expect(expectStatus(await ada.api.post(`${workflow.path}/pause`), 200)).toMatchObject({
      pausedAt: expect.any(String),
    });
    const ids: string[] = [];
    for (let n = 0; n < 30; n += 1) {
      const body = { input: { customer: n % 3 }, ...(n === 29 ? { priority: 'high' } : {}) };
      ids.push(expectStatus(await ada.api.post(`${workflow.path}/runs`, body), 201).id);
    }
    for (const id of ids) {
      expect(expectStatus(await ada.api.get(`${ada.home}/runs/${id}`), 200).status).toBe('queued');
    }
    expect(expectStatus(await ada.api.post(`${workflow.path}/resume`), 200)).toMatchObject({
      pausedAt: null,
    });
    await eventually(
      async () => {
        for (const id of ids) {
          expect(expectStatus(await ada.api.get(`${ada.home}/runs/${id}`), 200).status).toBe('succeeded');
        }
      },
      { timeoutMs: 30_000 },
    );
  });

  it('refuse what has run away, and say when to come back', async () => {
    const { start } = installation();
    const { server } = await start();
    const ada = await signUp(server);
    const workflow = await publish(ada, { nodes, edges, settings: { maxStartsPerMinute: 2 } });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => ada.api.post(`${workflow.path}/runs`, { input: {} })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(3);
    for (const { headers, body } of refused) {
      expect(body).toMatchObject({ code: 'run.runaway', scope: 'workflow', limit: 2, windowSeconds: 60 });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });
});
