import fc from 'fast-check';
import { AppError } from '../errors/app-error';
import { canonicalJson, idempotencyKeyOf, type KeyedRequest } from './idempotency-key.decorator';

const WORKSPACE = '0198c0de-0000-7000-8000-000000000001';

function request(changes: Partial<KeyedRequest>): KeyedRequest {
  return {
    method: 'POST',
    url: `/v1/workspaces/${WORKSPACE}/runs`,
    headers: { 'idempotency-key': 'k-1' },
    params: { workspaceId: WORKSPACE },
    body: { a: 1, b: [2] },
    principal: { kind: 'user', userId: 'u1', sessionId: 's1', via: 'bearer' },
    ...changes,
  };
}

const hashOf = (changes: Partial<KeyedRequest>) =>
  idempotencyKeyOf(request(changes))?.requestHash.toString('hex');

it('belongs to a principal, a method and a path', () => {
  expect(idempotencyKeyOf(request({}))).toMatchObject({
    scope: `user:u1 POST /v1/workspaces/${WORKSPACE}/runs`,
    key: 'k-1',
    workspaceId: WORKSPACE,
  });
});

it('is null without a header, and on routes where nobody is signed in', () => {
  expect(idempotencyKeyOf(request({ headers: {} }))).toBeNull();
  const { principal: _, ...anonymous } = request({});
  expect(idempotencyKeyOf(anonymous)).toBeNull();
});

it.each(['', ' ', 'ä', 'a\tb', 'x'.repeat(256)])('refuses the key "%s"', (key) => {
  expect(() => idempotencyKeyOf(request({ headers: { 'idempotency-key': key } }))).toThrow(AppError);
});

it('tells requests apart by body and query, not by the order of keys', () => {
  expect(hashOf({ body: { b: [2], a: 1 } })).toBe(hashOf({}));
  expect(hashOf({ body: { a: 1, b: [3] } })).not.toBe(hashOf({}));
  expect(hashOf({ url: `/v1/workspaces/${WORKSPACE}/runs?dry=1` })).not.toBe(hashOf({}));
});

it('writes canonical JSON that means the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
