import { AppError } from '#platform';
import type { JsonValue } from '../definition/json';
import { concurrencySlot } from './concurrency-slot';

const settings = (key?: string, limit = 2) => ({
  priority: 'normal' as const,
  concurrency: { limit, ...(key === undefined ? {} : { key }) },
});
const scope = (trigger: JsonValue, workflowId = 'w') => ({
  trigger,
  nodes: {},
  run: { id: '', workflowId, workspaceId: 's', version: 1, startedAt: '2026-01-01T00:00:00.000Z' },
});
const hashOf = async (key: string | undefined, trigger: JsonValue, workflowId?: string) =>
  (await concurrencySlot(settings(key), scope(trigger, workflowId)))?.keyHash;

describe('the slot of a run', () => {
  it('is none when the workflow asks for none', async () => {
    expect(await concurrencySlot(undefined, scope({}))).toBeNull();
    expect(await concurrencySlot({ priority: 'high' }, scope({}))).toBeNull();
  });

  it('is shared by all runs of a workflow without a key, and by no other workflow', async () => {
    const one = await hashOf(undefined, { a: 1 });
    expect(one).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await hashOf(undefined, { a: 2 })).toBe(one);
    expect(await hashOf(undefined, { a: 1 }, 'another')).not.toBe(one);
  });

  it('is that of the key’s value, whatever the order of its members', async () => {
    const one = await hashOf('{{ trigger.a }}', { a: { x: 1, y: [2, { z: 3, u: null }] } });
    expect(await hashOf('{{ trigger.a }}', { a: { y: [2, { u: null, z: 3 }], x: 1 } })).toBe(one);
    expect(await hashOf('{{ trigger.a }}', { a: { y: [{ u: null, z: 3 }, 2], x: 1 } })).not.toBe(one);
    expect(await hashOf('{{ trigger.a }}', { a: 1 })).not.toBe(await hashOf('{{ trigger.a }}', { a: '1' }));
    expect(await hashOf('{{ trigger.a }}', { a: null })).not.toBe(await hashOf(undefined, {}));
  });

  it('may be put together from several values', async () => {
    const key = '{{ trigger.a }}/{{ $lowercase(trigger.b) }}';
    expect(await hashOf(key, { a: 1, b: 'X' })).toBe(await hashOf(key, { a: 1, b: 'x' }));
    expect((await concurrencySlot(settings(key, 7), scope({ a: 1, b: 'x' })))?.limit).toBe(7);
  });

  it.each([
    ['{{ trigger.missing.name }}', 'gives nothing'],
    ['{{ nodes.first.id }}', 'gives nothing'],
    ['{{ $error("no") }}', 'no'],
  ])('says which expression gives no value: %s', async (key, words) => {
    const failure = await concurrencySlot(settings(key), scope({ a: 1 })).catch((error: unknown) => error);
    if (!(failure instanceof AppError)) throw failure;
    expect(failure.code).toBe('run.concurrency_key_invalid');
    expect(failure.context.detail).toContain(words);
    expect(failure.context.meta).toEqual({ expression: key });
  });
});
