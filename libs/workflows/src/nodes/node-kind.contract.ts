import { z } from 'zod';
import type { JsonObject } from '../definition/json';
import type { NodeExecution, NodeKind } from './node-kind';
import { noMask } from './output-mask';

/** A kind, and params to try it with. */
export interface ContractSubject {
  readonly kind: NodeKind;
  /** Params, as they are after expressions are resolved, that the kind accepts. At least one. */
  readonly valid: readonly JsonObject[];
  /** Params that it refuses. At least one. */
  readonly invalid: readonly JsonObject[];
}

/** What a node is given in tests: a fixed instant, a signal that nobody aborts. */
export function anExecution<P>(params: P, given: Partial<NodeExecution<P>> = {}): NodeExecution<P> {
  return {
    params,
    trigger: { event: 'test' },
    runId: 'run',
    nodeId: 'node',
    iteration: '',
    attempt: 1,
    workspaceId: 'workspace',
    idempotencyKey: 'run:node',
    now: new Date('2026-01-02T03:04:05.678Z'),
    runStartedAt: '2026-01-02T03:04:05.000Z',
    signal: new AbortController().signal,
    mask: noMask,
    ...given,
  };
}

/** What the engine and the editor rely on, for every kind of node. Call it inside a `describe`. */
export function itKeepsTheContract({ kind, valid, invalid }: ContractSubject): void {
  const junk: readonly JsonObject[] = [
    {},
    { cases: 1 },
    { cases: [null, {}, { port: 1 }] },
    JSON.parse('{"__proto__":[]}'),
  ];

  test('its type says whether it is a trigger', () => {
    expect(kind.type).toMatch(/^[a-z_]+(\.[a-z_]+)*$/);
    expect(kind.type.startsWith('trigger.')).toBe(kind.role === 'trigger');
  });

  test('it has a title and a sentence about what it does', () => {
    expect(kind.title).not.toBe('');
    expect(kind.description).toMatch(/\.$/);
  });

  test('its params have a JSON Schema of an object that refuses unknown members', () => {
    const schema = z.toJSONSchema(kind.params, { io: 'input', unrepresentable: 'any' });
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
  });

  test('it accepts good params and refuses bad ones', () => {
    expect(valid.length * invalid.length).toBeGreaterThan(0);
    for (const params of valid)
      expect({ params, ok: kind.params.safeParse(params).success }).toEqual({ params, ok: true });
    for (const params of invalid)
      expect({ params, ok: kind.params.safeParse(params).success }).toEqual({ params, ok: false });
    expect(kind.params.safeParse({ ...valid[0], unknownMember: 1 }).success).toBe(false);
  });

  test('its ports have good names, are distinct, and do not list error', () => {
    for (const params of valid) {
      const ports = kind.ports(params);
      expect(new Set(ports).size).toBe(ports.length);
      expect(ports).not.toContain('error');
      for (const port of ports) expect(port).toMatch(/^[a-z][A-Za-z0-9_]{0,62}$/);
    }
  });

  test('its ports can be asked for with params of any shape, as drafts have them', () => {
    for (const params of [...junk, ...invalid]) expect(Array.isArray(kind.ports(params))).toBe(true);
  });

  test('what it takes literally are params that it has', () => {
    for (const name of kind.literal ?? []) expect(valid.some((params) => name in params)).toBe(true);
  });

  test('what may hold secrets are params that it has, of an effect', () => {
    const { secrets = [], purity } = kind;
    expect(secrets.length === 0 || purity === 'effect').toBe(true);
    for (const name of secrets) expect(valid.some((params) => name in params)).toBe(true);
  });

  test('it finds nothing wrong with good params, and can be asked about params of any shape', () => {
    for (const params of valid) expect(kind.check?.(params) ?? []).toEqual([]);
    for (const params of [...junk, ...invalid]) expect(Array.isArray(kind.check?.(params) ?? [])).toBe(true);
  });

  if (kind.purity !== 'effect') itIsPure({ kind, valid });
}

function itIsPure({ kind, valid }: Pick<ContractSubject, 'kind' | 'valid'>): void {
  test('it computes the same again, and takes only ports that it has', async () => {
    for (const raw of valid) {
      const input = anExecution(kind.params.parse(raw));
      const outcome = await kind.execute(input);
      expect(await kind.execute(input)).toEqual(outcome);
      if (outcome.kind === 'done')
        expect(kind.ports(raw)).toEqual(expect.arrayContaining([...(outcome.ports ?? ['out'])]));
      if (outcome.kind === 'wait') expect('resume' in kind).toBe(true);
      if (outcome.kind === 'failed') expect(outcome.error.code).toMatch(/^(node|custom)\.[a-z][a-z0-9_]*$/);
    }
  });

  if (kind.role !== 'trigger') return;
  test('as a trigger it gives the event that started the run', async () => {
    const input = anExecution(kind.params.parse(valid[0]));
    expect(await kind.execute(input)).toEqual({ kind: 'done', output: input.trigger });
  });
}
