import { sandboxLimits } from '../sandbox/limits';
import { aSandbox } from '../sandbox/testing/a-sandbox';
import { codeNode } from './code.node';
import type { NodeOutcome } from './node-kind';
import { anExecution, itKeepsTheContract } from './node-kind.contract';

const { sandbox } = aSandbox();
const node = codeNode(sandbox);
afterAll(() => sandbox.close());

// A busy host takes its time.
jest.setTimeout(60_000);

/** Runs the node on params as a workflow's author writes them. */
async function run(params: object, given: Parameters<typeof anExecution>[1] = {}): Promise<NodeOutcome> {
  const parsed = node.params.parse({ timeoutSeconds: 10, ...params });
  return node.execute({ ...anExecution(parsed), ...given, params: parsed });
}

describe('The kind code', () => {
  itKeepsTheContract({
    kind: node,
    valid: [
      { code: 'return { now: Date.now(), chance: Math.random(), input }', input: { a: 1 } },
      { code: '' },
      { code: 'throw new Error("x")', timeoutSeconds: 10, memoryMb: 64 },
      { code: 'x'.repeat(sandboxLimits.codeBytes) },
      { code: 'return 1', timeoutSeconds: 0.5, memoryMb: 16 },
    ],
    invalid: [
      {},
      { code: 1 },
      { code: ['return 1'] },
      { code: 'x'.repeat(sandboxLimits.codeBytes + 1) },
      { code: `"${'é'.repeat(sandboxLimits.codeBytes / 2)}"` },
      { code: '', timeoutSeconds: 0 },
      { code: '', timeoutSeconds: 10.001 },
      { code: '', memoryMb: 15 },
      { code: '', memoryMb: 65 },
      { code: '', memoryMb: 16.5 },
    ],
  });

  test('gives what its code returns, and null for nothing', async () => {
    expect(await run({ code: 'return input.map((x) => x + 1)', input: [1, 2] })).toEqual({
      kind: 'done',
      output: [2, 3],
    });
    expect(await run({ code: 'console.log("seen")' })).toEqual({ kind: 'done', output: null });
    expect(await run({ code: 'return input' })).toEqual({ kind: 'done', output: null });
  });

  test('sees the start of its run as the time, whenever it runs, and the same chance in a repetition', async () => {
    const code = 'return [new Date().toISOString(), Math.random()]';
    const first = await run({ code }, { now: new Date('2027-01-01T00:00:00Z') });
    expect(await run({ code }, { now: new Date('2028-01-01T00:00:00Z') })).toEqual(first);
    expect(first).toMatchObject({ output: ['2026-01-02T03:04:05.000Z', expect.any(Number)] });
    expect(await run({ code }, { idempotencyKey: 'run:other' })).not.toEqual(first);
  });

  test('fails with its own codes, and says where and what was logged before', async () => {
    expect(await run({ code: 'console.log("before")\nthrow new TypeError("no")' })).toEqual({
      kind: 'failed',
      error: {
        code: 'node.code_threw',
        message: 'TypeError: no',
        details: { line: 2, column: 20, logs: ['before'] },
      },
    });
    expect(await run({ code: 'for (;;);', timeoutSeconds: 0.05 })).toMatchObject({
      error: { code: 'node.code_timeout', details: { logs: [] } },
    });
    expect(await run({ code: 'return 1n' })).toMatchObject({ error: { code: 'node.code_not_json' } });
  });

  test('is stopped with its run', async () => {
    const abort = new AbortController();
    const running = run({ code: 'for (;;);' }, { signal: abort.signal });
    abort.abort();
    expect(await running).toMatchObject({ kind: 'failed', error: { code: 'node.code_aborted' } });
  });

  test('takes a second and 16 MB unless it is told otherwise', () => {
    expect(node.params.parse({ code: '' })).toEqual({ code: '', timeoutSeconds: 1, memoryMb: 16 });
  });

  test('has its code checked, with the place of what is wrong', () => {
    expect(node.check?.({ code: 'const a = 1\nconst b = = 2' })).toEqual([
      {
        code: 'code_syntax',
        pointer: '/code',
        message: "The code can not be parsed (line 2, column 11): Unexpected token '='.",
        line: 2,
        column: 11,
      },
    ]);
    expect(node.check?.({ code: '}); evil(); (async function () {' })).toEqual([
      { code: 'code_syntax', pointer: '/code', message: expect.stringContaining('a bracket too many') },
    ]);
  });
});
