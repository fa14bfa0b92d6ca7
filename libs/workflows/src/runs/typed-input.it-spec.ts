import { useTestDb } from '#platform/testing';
import {
  aPublishedWorkflow,
  chain,
  controlRooms,
  heldLeases,
  type PublishedWorkflow,
  somebody,
  startTestEngine,
  type TestEngine,
  TestRuns,
} from '../testing';

const schema = {
  type: 'object',
  required: ['email'],
  properties: {
    email: { type: 'string', format: 'email' },
    items: {
      type: 'array',
      items: { type: 'object', properties: { count: { type: 'integer', minimum: 1 } } },
    },
  },
  additionalProperties: false,
};

describe('a trigger that says what it takes', () => {
  const testDb = useTestDb({ leases: heldLeases });
  let worker: TestEngine;
  let rooms: ReturnType<typeof controlRooms>;
  const runs = new TestRuns(testDb, () => worker);

  beforeAll(async () => {
    worker = await startTestEngine(testDb().db, testDb().url);
    rooms = controlRooms(testDb(), worker);
    testDb().beforeClose(() => worker.drain());
  });

  const typed = (type = 'trigger.manual') => ({
    nodes: [
      { id: 'start', type, params: { schema } },
      { id: 'note', type: 'set', params: { values: { to: '{{ trigger.email }}' } } },
    ],
    edges: chain('start', 'note'),
  });
  const start = ({ workspaceId, workflowId }: PublishedWorkflow, input: unknown, key: string | null = null) =>
    rooms.runs.startManually(
      { workspaceId, workflowId, principal: somebody },
      { input },
      key === null ? null : { scope: 's', key, requestHash: Buffer.alloc(32), workspaceId },
    );

  it('starts runs with what fits', async () => {
    const workflow = await aPublishedWorkflow(testDb(), typed());
    const { id } = await start(workflow, { email: 'ada@example.com', items: [{ count: 2 }] });
    expect(await runs.ended(id)).toMatchObject({
      outcome: 'succeeded',
      output: { note: { to: 'ada@example.com' } },
    });
  });

  it('refuses anything else with every fault in its place, counts nothing and leaves the key unused', async () => {
    const workflow = await aPublishedWorkflow(testDb(), typed());
    rooms.admission.left = 1;
    await expect(start(workflow, { items: [{ count: 0 }], more: 1 }, 'k')).rejects.toMatchObject({
      type: { code: 'run.invalid_input', kind: 'unprocessable' },
      context: {
        problems: [
          { pointer: '/input/email', message: 'This is required, and missing.' },
          { pointer: '/input/items/0/count', message: 'This must be at least 1, got 0.' },
          { pointer: '/input/more', message: 'This is not allowed here.' },
        ],
      },
    });
    await expect(start(workflow, null)).rejects.toMatchObject({ type: { code: 'run.invalid_input' } });
    expect(await runs.sql('select from workflow_runs where workflow_id = $1', [workflow.workflowId])).toEqual(
      [],
    );
    expect(await start(workflow, { email: 'ada@example.com' }, 'k')).toMatchObject({ replayed: false });
    rooms.admission.left = Number.POSITIVE_INFINITY;
  });

  it('takes whatever comes when it says nothing', async () => {
    const workflow = await aPublishedWorkflow(testDb(), {
      nodes: [{ id: 'start', type: 'trigger.manual' }],
      edges: [],
    });
    expect(await start(workflow, [1, 'two', null])).toMatchObject({ replayed: false });
  });
});
