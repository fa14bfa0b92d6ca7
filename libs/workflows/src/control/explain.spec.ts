import { executingNodes, explain, type Facts } from './explain';
import type { OpenNodeRow, StandingRow } from './explain.sql';

const at = (minutes: number) => new Date(Date.UTC(2026, 0, 5, 12, minutes));

const standing: StandingRow = {
  outcome: null,
  error: null,
  createdAt: at(0),
  startedAt: null,
  finishedAt: null,
  state: 'queued',
  turn: '7',
  resumeAt: null,
  cancelRequestedAt: null,
  workerHost: null,
  workerPid: null,
  leaseUntil: null,
  leaseIsOver: true,
  now: at(10),
};

const held: StandingRow = {
  ...standing,
  state: 'owned',
  workerHost: 'alpha',
  workerPid: 41,
  leaseUntil: at(11),
  leaseIsOver: false,
};

function node(
  nodeId: string,
  state: Partial<OpenNodeRow['state']>,
  more: Partial<OpenNodeRow> = {},
): OpenNodeRow {
  return {
    nodeId,
    iteration: '',
    status: 'waiting',
    attempts: 1,
    state: { kind: 'wait', on: null, runId: null, error: null, evidence: null, ...state },
    resumeAt: null,
    startedAt: at(1),
    ...more,
  };
}

function say(facts: Partial<Facts>) {
  return explain({ standing, queue: null, nodes: [], executing: [], gate: null, ...facts });
}

describe('why a run does not go on', () => {
  it('is its turn, and how many go before it', () => {
    const queued = (ahead: number) => say({ queue: { ahead, workers: 2 } });
    expect(queued(0)).toEqual({
      status: 'queued',
      reason: 'queued',
      sentence: 'The run waits for its turn: it is the next one that a worker takes.',
      since: at(0).toISOString(),
      until: null,
      what: [],
    });
    expect(queued(1).sentence).toContain('1 run goes before it');
    expect(queued(12).sentence).toContain('12 runs go before it');
    expect(queued(1_000).sentence).toContain('1000 or more runs go before it');
  });

  it('is that no worker lives', () => {
    expect(say({ queue: { ahead: 3, workers: 0 } })).toMatchObject({ status: 'queued', reason: 'no_worker' });
  });

  it('is what a worker executes, and since when', () => {
    const executing = [{ nodeId: 'send', iteration: '3', since: at(9).toISOString() }];
    expect(say({ standing: held, executing })).toEqual({
      status: 'running',
      reason: 'executing',
      sentence: 'The run is under way: the worker 41 on alpha executes the node "send".',
      since: at(9).toISOString(),
      until: null,
      what: [
        {
          nodeId: 'send',
          iteration: '3',
          sentence: 'The node "send" is being executed.',
          since: at(9).toISOString(),
          until: null,
        },
      ],
    });
  });

  it('is a worker that has not been heard of', () => {
    const lost = say({ standing: { ...held, leaseIsOver: true } });
    expect(lost).toMatchObject({ status: 'running', reason: 'worker_lost', since: at(11).toISOString() });
    expect(lost.sentence).toContain('the worker 41 on alpha, which has not been heard of');
    expect(say({ standing: { ...standing, state: 'owned' } }).sentence).toContain('a worker that is gone');
  });

  it('is that it was asked to stop', () => {
    const asked = { cancelRequestedAt: at(8) };
    expect(say({ standing: { ...held, ...asked } })).toMatchObject({
      reason: 'canceling',
      since: at(8).toISOString(),
    });
    expect(say({ standing: { ...standing, ...asked }, queue: { ahead: 0, workers: 1 } }).reason).toBe(
      'canceling',
    );
  });

  it.each([
    [node('pause', { on: 'time' }, { resumeAt: at(30) }), `waits until ${at(30).toISOString()}.`],
    [node('ask', { on: 'callback' }), 'waits for a call of its address.'],
    [
      node('ok', { on: 'approval' }, { resumeAt: at(30) }),
      `waits for an approval until ${at(30).toISOString()}.`,
    ],
    [node('call', { kind: 'child', runId: 'r1' }), 'waits for the end of the run r1.'],
    [
      node(
        'send',
        { kind: 'retry', error: { code: 'x', message: 'No route' } },
        { resumeAt: at(12), attempts: 2 },
      ),
      `failed at attempt 2 (No route) and is tried again at ${at(12).toISOString()}.`,
    ],
  ])('is the node that waits: %#', (waiting, words) => {
    const parked = { ...standing, state: 'parked', resumeAt: waiting.resumeAt } as const;
    const said = say({ standing: parked, nodes: [waiting, node('each', { kind: 'loop' })] });
    expect(said).toMatchObject({ status: 'waiting', reason: 'waiting', what: [{ nodeId: waiting.nodeId }] });
    expect(said.what).toHaveLength(1);
    expect(said.sentence).toContain(`The node "${waiting.nodeId}" ${words}`);
  });

  it('is nothing any more, when the time has come', () => {
    const due = { ...standing, state: 'parked', resumeAt: at(10) } as const;
    expect(say({ standing: due, nodes: [node('pause', { on: 'time' }, { resumeAt: at(10) })] }).reason).toBe(
      'due',
    );
  });

  it('is a person who has to decide, and the evidence says since when', () => {
    const evidence = { attempt: 1, startedAt: at(4).toISOString(), request: {} };
    const said = say({
      standing: { ...standing, state: 'undecided' },
      nodes: [node('pay', { kind: 'decision', evidence }), node('pause', { on: 'time' })],
    });
    expect(said).toMatchObject({
      status: 'needs_decision',
      reason: 'needs_decision',
      since: at(4).toISOString(),
      what: [{ nodeId: 'pay' }],
    });
    expect(said.sentence).toContain('the node "pay"');
  });

  it('is that it is over', () => {
    const over = (outcome: 'succeeded' | 'failed' | 'canceled') =>
      say({
        standing: {
          ...standing,
          outcome,
          state: null,
          finishedAt: at(5),
          error: { code: 'x', message: 'No.' },
        },
      });
    expect(over('failed')).toMatchObject({
      status: 'failed',
      reason: 'finished',
      since: at(5).toISOString(),
    });
    expect(over('failed').sentence).toContain('The run has failed: No.');
    expect(over('canceled').sentence).toContain('The run has been canceled.');
    expect(say({ standing: { ...standing, state: null } }).reason).toBe('finishing');
  });
});

describe('the nodes that are being executed', () => {
  it('are those that have begun since somebody took the run up, and not ended', () => {
    const event = (type: string, nodeId?: string, iteration?: string) =>
      ({ type, at: at(1).toISOString(), nodeId, iteration }) as never;
    const events = [
      event('run.started'),
      event('node.started', 'lost'),
      event('run.resumed'),
      event('node.started', 'a'),
      event('node.started', 'b', '1'),
      event('node.started', 'b', '2'),
      event('node.succeeded', 'a'),
      event('node.retrying', 'b', '1'),
    ];
    expect(executingNodes(events)).toEqual([{ nodeId: 'b', iteration: '2', since: at(1).toISOString() }]);
  });

  describe('at the gate', () => {
    const place = { limit: 2, executing: 2, ahead: 3 };
    const at = (gate: Partial<NonNullable<Facts['gate']>>) =>
      say({
        standing: { ...standing, state: 'gated' },
        gate: { key: null, workflow: null, workspace: null, paused: false, ...gate },
      });

    it('is the paused workflow before anything else', () => {
      expect(at({ paused: true, workflow: place })).toMatchObject({
        status: 'queued',
        reason: 'workflow_paused',
      });
    });

    it('is the key, and who holds its slots', () => {
      const said = at({ key: { limit: 1, holders: ['run-a'], ahead: 0 }, workspace: place });
      expect(said).toMatchObject({ reason: 'concurrency_key' });
      expect(said.sentence).toContain('run-a');
    });

    it('is the plan, by workflow or workspace', () => {
      expect(at({ workflow: place, workspace: { ...place, executing: 1 } }).sentence).toContain(
        'of this workflow',
      );
      expect(at({ workflow: { ...place, executing: 1 }, workspace: place }).sentence).toContain(
        'of this workspace',
      );
      expect(at({ workspace: place }).sentence).toContain('3 come before it');
    });
  });
});
