import { builtinKinds } from './builtin-kinds';
import { conditionNode } from './condition.node';
import { delayNode } from './delay.node';
import { failNode } from './fail.node';
import { anExecution, type ContractSubject, itKeepsTheContract } from './node-kind.contract';
import { setNode } from './set.node';
import { switchNode } from './switch.node';

const examples: Readonly<Record<string, Omit<ContractSubject, 'kind'>>> = {
  'trigger.manual': {
    valid: [{}, { schema: { type: 'object', required: ['email'] } }],
    invalid: [{ input: 1 }, { schema: { type: 'thing' } }, { schema: true }],
  },
  'trigger.webhook': {
    valid: [
      {},
      { methods: ['POST', 'GET'], verification: { preset: 'github' }, auth: { scheme: 'bearer' } },
      { verification: { preset: 'stripe', toleranceSeconds: 60 }, dedupe: { by: 'body', windowSeconds: 1 } },
      {
        verification: {
          preset: 'custom',
          header: 'X-Sign',
          timestampHeader: 'X-Time',
          signed: '{timestamp}.{body}',
        },
        respond: { mode: 'wait', timeoutSeconds: 120 },
        maxBodyBytes: 1_048_576,
      },
      { dedupe: { by: 'expression', expression: '{{ trigger.body.id }}' }, challenge: 'hub' },
      { dedupe: { by: 'none' } },
    ],
    invalid: [
      { path: '/x' },
      { methods: [] },
      { methods: ['POST', 'POST'] },
      { methods: ['DELETE'] },
      { verification: { preset: 'slack', toleranceSeconds: 59 } },
      { verification: { preset: 'slack', toleranceSeconds: 3_601 } },
      { verification: { preset: 'github', secret: 'in the definition' } },
      { verification: { preset: 'custom', header: 'X-Sign', signed: '{timestamp}.{body}' } },
      { verification: { preset: 'custom', header: 'X-Sign', signed: '{timestamp}', timestampHeader: 'T' } },
      { verification: { preset: 'custom', header: 'X-Sign', timestampHeader: 'T' } },
      { verification: { preset: 'custom', header: 'not a header' } },
      { auth: { scheme: 'basic', username: 'a:b' } },
      { respond: { mode: 'wait', timeoutSeconds: 121 } },
      { maxBodyBytes: 1_048_577 },
      { dedupe: { by: 'body', windowSeconds: 604_801 } },
    ],
  },
  'trigger.schedule': {
    valid: [
      {
        cron: '0 9 * * MON-FRI',
        timezone: 'Europe/Berlin',
        gap: 'skip',
        fold: 'both',
        start: '2026-01-01',
        end: '2027-01-01',
        except: ['2026-12-25'],
        maxRuns: 100,
        jitterSeconds: 60,
        catchUp: 'all',
        catchUpMax: 10,
        overlap: 'queue_one',
        autoPauseAfter: 3,
      },
      { every: { amount: 2, unit: 'weeks' } },
      { rrule: 'FREQ=MONTHLY;BYDAY=-1FR', start: '2026-01-30T18:00' },
      { dates: ['2026-12-24T18:00'] },
    ],
    invalid: [
      {},
      { cron: '0 9 * *' },
      { cron: '0 9 * * *', overlap: 'maybe' },
      { cron: '0 9 * * *', dates: ['2026-12-24'] },
      { cron: '0 9 * * *', autoPauseAfter: 0 },
    ],
  },
  'trigger.workflow': {
    valid: [{}, { schema: {} }],
    invalid: [{ input: 1 }, { schema: { minLength: 'x' } }],
  },
  'trigger.error': { valid: [{}], invalid: [{ input: 1 }] },
  for_each: {
    valid: [{ items: [] }, { items: [1, null, {}], concurrency: 100, onItemError: 'continue', collect: 'a' }],
    invalid: [
      {},
      { items: 'x' },
      { items: {} },
      { items: [], concurrency: 0 },
      { items: [], concurrency: 101 },
    ],
  },
  'wait.callback': {
    valid: [{}, { timeoutSeconds: 0.5 }, { schema: { type: 'object' } }],
    invalid: [{ timeoutSeconds: 0 }, { timeoutSeconds: 6 * 366 * 24 * 3600 }, { schema: [] }],
  },
  'run.workflow': {
    valid: [
      { workflowId: '01a1f954-181a-7000-89cd-1424e6be69bc' },
      { workflowId: '01a1f954-181a-7000-89cd-1424e6be69bc', input: [1], wait: false },
    ],
    invalid: [{}, { workflowId: 'x' }, { workflowId: '01a1f954-181a-7000-89cd-1424e6be69bc', wait: 'no' }],
  },
  condition: { valid: [{ if: true }, { if: false }], invalid: [{}, { if: 'true' }, { if: 1 }, { if: null }] },
  switch: {
    valid: [
      { value: 1, cases: [{ port: 'one', equals: 1 }] },
      {
        value: null,
        cases: [
          { port: 'a', equals: {} },
          { port: 'b', equals: null },
        ],
      },
    ],
    invalid: [
      { value: 1 },
      { cases: [{ port: 'a', equals: 1 }] },
      { value: 1, cases: [] },
      { value: 1, cases: [{ port: 'a' }] },
      { value: 1, cases: [{ port: 'A', equals: 1 }] },
      { value: 1, cases: [{ port: 'error', equals: 1 }] },
      { value: 1, cases: [{ port: 'default', equals: 1 }] },
      {
        value: 1,
        cases: [
          { port: 'a', equals: 1 },
          { port: 'a', equals: 2 },
        ],
      },
    ],
  },
  set: { valid: [{ values: {} }, { values: { a: [1] } }], invalid: [{}, { values: [] }, { values: 'x' }] },
  delay: {
    valid: [
      { seconds: 0 },
      { seconds: 0.5 },
      { until: '2026-02-03T04:05:06+01:00' },
      { until: '2020-01-01T00:00:00Z' },
      { duration: 'P2DT6H', jitterSeconds: 60 },
      { duration: 'PT1.5S' },
    ],
    invalid: [
      { duration: 'P1M' },
      { duration: 'P' },
      { duration: 'PT' },
      { duration: '1h' },
      { duration: 'PT1S', seconds: 1 },
      {},
      { seconds: 1, until: '2026-02-03T04:05:06Z' },
      { seconds: -1 },
      { seconds: 6 * 366 * 24 * 3600 },
      { until: 'tomorrow' },
      { until: '2026-02-30T00:00:00Z' },
    ],
  },
  fail: {
    valid: [{ message: 'x' }, { message: 'x', code: 'out_of_stock' }],
    invalid: [{}, { message: '' }, { message: 'x', code: 'Bad Code' }],
  },
  format: {
    valid: [
      { input: ' a ', steps: [{ op: 'text.trim' }, { op: 'text.replace', search: 'a', with: 'b' }] },
      { input: 1, steps: [{ op: 'text.lower' }] },
      { input: null, steps: Array.from({ length: 50 }, () => ({ op: 'boolean.parse' })) },
    ],
    invalid: [
      { steps: [{ op: 'text.trim' }] },
      { input: 1, steps: [] },
      { input: 1, steps: [{}] },
      { input: 1, steps: [{ op: 'text.shout' }] },
      { input: 1, steps: [{ op: 'constructor' }] },
      { input: 1, steps: [{ op: 'text.trim', more: 1 }] },
      { input: 1, steps: [{ op: 'text.replace' }] },
      { input: null, steps: Array.from({ length: 51 }, () => ({ op: 'boolean.parse' })) },
    ],
  },
  respond: {
    valid: [{}, { status: 599, headers: { 'Content-Type': 'text/plain' }, body: 'Hello' }, { body: null }],
    invalid: [
      { status: 199 },
      { status: 600 },
      { status: 200.5 },
      { headers: { a: 1 } },
      { status: 204, body: 1 },
    ],
  },
};

describe.each(builtinKinds().map((kind) => [kind.type, kind] as const))('The kind %s', (type, kind) => {
  itKeepsTheContract({ kind, ...(examples[type] ?? { valid: [], invalid: [] }) });
});

describe('A condition', () => {
  test('takes the port of its value', () => {
    expect(conditionNode.execute(anExecution({ if: true }))).toEqual({
      kind: 'done',
      output: true,
      ports: ['true'],
    });
    expect(conditionNode.execute(anExecution({ if: false }))).toEqual({
      kind: 'done',
      output: false,
      ports: ['false'],
    });
  });

  test('says what it got in text that can be stored', () => {
    for (const value of ['😀'.repeat(40), `a${'😀'.repeat(40)}`]) {
      const parsed = conditionNode.params.safeParse({ if: value });
      expect(parsed.error?.issues[0]?.message).not.toMatch(/\p{Surrogate}/u);
    }
  });

  test.each<[unknown, string]>([
    ['false', 'the string "false"'],
    [0, 'the number 0'],
    [[], 'an array of 0'],
    [undefined, 'nothing'],
  ])('refuses %j and says what it got', (value, got) => {
    const parsed = conditionNode.params.safeParse({ if: value });
    expect(parsed.error?.issues[0]?.message).toContain(got);
  });
});

describe('A switch', () => {
  const cases = [
    { port: 'object', equals: { a: [1], b: null } },
    { port: 'one', equals: 1 },
    { port: 'again', equals: 1 },
    { port: 'proto', equals: JSON.parse('{"__proto__": 1}') },
  ];

  test.each([
    [1, 'one'],
    ['1', 'default'],
    [true, 'default'],
    [{ b: null, a: [1] }, 'object'],
    [{ b: null, a: [1, 2] }, 'default'],
    [{ b: null }, 'default'],
    [{}, 'default'],
    [JSON.parse('{"__proto__": 1}'), 'proto'],
  ])('with %j takes the port %s', (value, port) => {
    expect(switchNode.execute(anExecution({ value, cases }))).toEqual({
      kind: 'done',
      output: value,
      ports: [port],
    });
  });

  test('has the ports of its cases, and default', () => {
    expect(switchNode.ports({ cases })).toEqual(['object', 'one', 'again', 'proto', 'default']);
  });
});

describe('A set', () => {
  test('gives its values, __proto__ and all', () => {
    const values = JSON.parse('{"__proto__": {"a": 1}, "b": 2}');
    const params = setNode.params.parse({ values });
    expect(JSON.stringify(setNode.execute(anExecution(params)))).toBe(
      '{"kind":"done","output":{"__proto__":{"a":1},"b":2}}',
    );
  });
});

describe('A delay', () => {
  const now = new Date('2026-01-02T03:04:05.678Z');

  test.each([
    [{ seconds: 0 }, '2026-01-02T03:04:05.678Z'],
    [{ seconds: 0.5 }, '2026-01-02T03:04:06.178Z'],
    [{ seconds: 86_400 }, '2026-01-03T03:04:05.678Z'],
    [{ until: '2026-01-02T05:00:00+01:00' }, '2026-01-02T04:00:00.000Z'],
    [{ until: '2020-01-01T00:00:00Z' }, '2026-01-02T03:04:05.678Z'],
    [{ duration: 'P1W1DT1H1M1.5S' }, '2026-01-10T04:05:07.178Z'],
  ])('of %j waits until %s', (params, resumeAt) => {
    expect(delayNode.execute(anExecution(params, { now }))).toEqual({
      kind: 'wait',
      on: 'time',
      resumeAt: new Date(resumeAt),
    });
  });

  test('is longer by a part of its jitter, which is the same whenever it is computed', () => {
    const ends = ['a', 'b', 'c', 'a'].map((idempotencyKey) => {
      const outcome = delayNode.execute(
        anExecution({ seconds: 10, jitterSeconds: 5 }, { now, idempotencyKey }),
      );
      return 'resumeAt' in outcome ? Number(outcome.resumeAt) - now.getTime() : NaN;
    });
    for (const ms of ends) expect(ms).toBeGreaterThanOrEqual(10_000);
    for (const ms of ends) expect(ms).toBeLessThan(15_000);
    expect(new Set(ends).size).toBe(3);
  });

  test('of more than five years fails', () => {
    const params = { until: '2031-01-04T00:00:00Z' };
    expect(delayNode.execute(anExecution(params, { now }))).toMatchObject({
      kind: 'failed',
      error: { code: 'node.delay_too_long' },
    });
  });

  test('is done when it is resumed, and says when', () => {
    const resumed = delayNode.resume?.({
      ...anExecution({ seconds: 1 }, { now }),
      data: null,
      message: undefined,
    });
    expect(resumed).toEqual({ kind: 'done', output: { resumedAt: '2026-01-02T03:04:05.678Z' } });
  });
});

describe('A fail', () => {
  test('fails with its message, and with a code that nobody takes for one of the engine', () => {
    expect(failNode.execute(anExecution({ message: 'Sold out.' }))).toEqual({
      kind: 'failed',
      error: { code: 'node.failed_on_purpose', message: 'Sold out.' },
    });
    expect(failNode.execute(anExecution({ message: 'Sold out.', code: 'out_of_stock' }))).toMatchObject({
      error: { code: 'custom.out_of_stock' },
    });
  });
});
