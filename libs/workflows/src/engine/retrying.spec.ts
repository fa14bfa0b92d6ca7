import fc from 'fast-check';
import { compileGraph, type GraphNode } from '../definition/graph';
import { definitionSchema } from '../definition/schema';
import type { ExpressionScope } from '../expressions/scope';
import { builtinKinds } from '../nodes/builtin-kinds';
import type { NodeFailure } from '../nodes/node-kind';
import { NodeKindRegistry } from '../nodes/registry';
import { type Verdict, verdictOn } from './retrying';

const kinds = new NodeKindRegistry(builtinKinds());
const error = { code: 'test.broken', message: 'broken', details: { status: 503 } };

function nodeWith(retry: object | undefined): GraphNode {
  const raw = { nodes: [{ id: 'a', type: 'set', retry }], edges: [] };
  const [node] = compileGraph(definitionSchema.parse(raw), kinds).nodes;
  if (node === undefined) throw new Error('The graph has no node.');
  return node;
}

const scope: ExpressionScope = {
  trigger: { patient: true },
  nodes: {},
  run: { id: 'r', workflowId: 'w', workspaceId: 's', version: 1, startedAt: '2026-11-21T00:00:00.000Z' },
  error,
};

function verdict(
  retry: object | undefined,
  { attempt = 1, key = 'run:a:', ...failure }: { attempt?: number; key?: string } & Partial<NodeFailure> = {},
): Verdict | Promise<Verdict> {
  const failed = {
    node: nodeWith(retry),
    failure: { kind: 'failed', error, ...failure } as const,
    attempt,
    key,
  };
  return verdictOn(failed, () => scope);
}

function delayMs(...args: Parameters<typeof verdict>): number | 'given up' {
  const answer = verdict(...args);
  if (answer instanceof Promise) throw new Error('An answer at once was expected.');
  return answer.kind === 'retry' ? answer.delayMs : 'given up';
}

const steady = { jitter: false, delaySeconds: 2 };

describe('A failed attempt', () => {
  it('is the last one where nothing is said of retries', () => {
    expect(verdict(undefined, { retryable: true })).toEqual({ kind: 'give up', error });
  });

  it('is followed by another one until as many were made as are allowed', () => {
    const tried = [1, 2, 3, 4].map((attempt) => delayMs({ ...steady, attempts: 3 }, { attempt }));
    expect(tried).toEqual([2_000, 4_000, 'given up', 'given up']);
  });

  it.each<[boolean | undefined, string]>([
    [true, 'retry'],
    [undefined, 'retry'],
    [false, 'give up'],
  ])('whose kind says retryable %s: %s', (retryable, kind) => {
    const said = retryable === undefined ? {} : { retryable };
    expect(verdict({ attempts: 2 }, said)).toMatchObject({ kind });
  });
});

describe('The delay', () => {
  it.each<[string, object, number[]]>([
    ['doubles', { ...steady, backoff: 'exponential' }, [2_000, 4_000, 8_000, 16_000]],
    ['stays', { ...steady, backoff: 'constant' }, [2_000, 2_000, 2_000, 2_000]],
    ['doubles up to its limit', { ...steady, maxDelaySeconds: 5 }, [2_000, 4_000, 5_000, 5_000]],
    [
      'is never longer than its limit',
      { ...steady, backoff: 'constant', maxDelaySeconds: 1 },
      [1_000, 1_000, 1_000, 1_000],
    ],
    ['may be none', { ...steady, delaySeconds: 0 }, [0, 0, 0, 0]],
    ['is of whole milliseconds', { ...steady, delaySeconds: 0.0004 }, [0, 1, 2, 3]],
  ])('%s', (_name, retry, expected) => {
    const all = [1, 2, 3, 4].map((attempt) => delayMs({ ...retry, attempts: 20 }, { attempt }));
    expect(all).toEqual(expected);
  });

  it('is at the longest after twenty attempts of a day each what the limit says', () => {
    const longest = { attempts: 20, jitter: false, delaySeconds: 86_400, maxDelaySeconds: 86_400 };
    expect(delayMs(longest, { attempt: 19 })).toBe(86_400_000);
  });

  it('is shortened by jitter, by up to a half, and differently from node to node', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: 19 }), (key, attempt) => {
        const retry = { attempts: 20, delaySeconds: 100, maxDelaySeconds: 400 };
        const full = delayMs({ ...retry, jitter: false }, { attempt });
        const jittered = Number(delayMs({ ...retry, jitter: true }, { attempt, key }));
        expect(jittered).toBeGreaterThan(Number(full) / 2 - 1);
        expect(jittered).toBeLessThanOrEqual(Number(full));
        // A worker that takes over decides the same.
        expect(delayMs({ ...retry, jitter: true }, { attempt, key })).toBe(jittered);
      }),
    );
    const retry = { attempts: 20, delaySeconds: 100 };
    const keys = Array.from({ length: 100 }, (_, i) => `run:a:${i}`);
    const delays = new Set(keys.map((key) => delayMs(retry, { key })));
    expect(delays.size).toBeGreaterThan(90);
    expect(Math.min(...[...delays].map(Number))).toBeLessThan(60_000);
    expect(Math.max(...[...delays].map(Number))).toBeGreaterThan(90_000);
  });

  it('is drawn anew for each attempt', () => {
    const retry = { attempts: 20, backoff: 'constant', delaySeconds: 100 };
    const delays = [1, 2, 3, 4, 5].map((attempt) => delayMs(retry, { attempt }));
    expect(new Set(delays).size).toBe(5);
  });

  it('is at least what the other side asked for, also beyond the limit', () => {
    const retry = { ...steady, attempts: 3, maxDelaySeconds: 10 };
    expect(delayMs(retry, { retryAfterSeconds: 1 })).toBe(2_000);
    expect(delayMs(retry, { retryAfterSeconds: 60.5 })).toBe(60_500);
    expect(delayMs({ ...retry, jitter: true }, { retryAfterSeconds: 60 })).toBe(60_000);
  });

  it('is not asked for by a failure that would happen again', () => {
    expect(delayMs({ attempts: 3 }, { retryable: false, retryAfterSeconds: 5 })).toBe('given up');
  });
});

describe('The condition of the author', () => {
  const judged = (retryIf: string, failure: Partial<NodeFailure> = {}) =>
    verdict({ ...steady, attempts: 3, retryIf }, failure);
  const again = { kind: 'retry', delayMs: 2_000 };
  const over = { kind: 'give up', error };

  it.each<[string, string, object]>([
    ['is true', "{{ error.code = 'test.broken' }}", again],
    ['sees the details of the error', '{{ error.details.status = 503 }}', again],
    ['sees what every expression sees', '{{ trigger.patient }}', again],
    ['is false', "{{ error.code = 'test.other' }}", over],
    ['gives something that is not true', "{{ 'true' }}", over],
    ['gives a number', '{{ 1 }}', over],
    ['gives nothing', '{{ error.missing }}', over],
    ['fails', '{{ error.code + 1 = 2 }}', over],
    ['is text', 'true', over],
  ])('that %s', (_name, retryIf, expected) => {
    // Whatever is wrong with the condition, the error of the attempt is the one that people see.
    return expect(Promise.resolve(judged(retryIf))).resolves.toEqual(expected);
  });

  it('overrules the kind, both ways', () => {
    expect(judged('{{ true }}', { retryable: false })).toEqual(again);
    expect(judged('{{ false }}', { retryable: true })).toEqual(over);
  });

  it('does not give more attempts than are allowed', () => {
    expect(verdict({ ...steady, attempts: 3, retryIf: '{{ true }}' }, { attempt: 3 })).toEqual(over);
  });

  it('answers at once, unless it asks for a computation that takes time', async () => {
    expect(judged("{{ error.code = 'test.broken' }}")).not.toBeInstanceOf(Promise);
    for (const [retryIf, expected] of [
      ["{{ $contains(error.code, 'broken') }}", again],
      ["{{ $contains(error.code, 'other') }}", over],
      ['{{ $number(error.code) > 1 }}', over],
    ] as const) {
      const answer = judged(retryIf);
      expect(answer).toBeInstanceOf(Promise);
      expect(await answer).toEqual(expected);
    }
  });
});
