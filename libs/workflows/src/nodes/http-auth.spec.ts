import { EgressClient } from '../egress/guarded-client';
import { TestWorkspaces } from '../egress/testing/test-workspaces';
import { authorizationOf, authSchema } from './http-auth';
import { httpRequestNode } from './http-request.node';
import { itKeepsTheContract } from './node-kind.contract';

const url = 'https://api.example';

describe('http.request', () => {
  itKeepsTheContract({
    kind: httpRequestNode(new EgressClient(new TestWorkspaces().options)),
    valid: [
      { url },
      {
        url,
        method: 'POST',
        query: { a: 1 },
        headers: { 'X-A': 'b' },
        body: { json: [1] },
        auth: { bearer: 'token' },
      },
    ],
    invalid: [
      {},
      { url, auth: {} },
      { url, auth: { bearer: 'a', basic: { username: 'a', password: 'b' } } },
      { url, auth: { bearer: 'a' }, headers: { authorization: 'b' } },
      { url, auth: { basic: { username: 'a:b', password: 'c' } } },
    ],
  });
});

describe('auth', () => {
  it('is written as RFC 6750 and RFC 7617 say', () => {
    const basic = authSchema.parse({ basic: { username: 'Aladdin', password: 'open sesame' } });
    expect(authorizationOf(basic)).toBe('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
    expect(authorizationOf({ basic: { username: 'test', password: '123£' } })).toBe('Basic dGVzdDoxMjPCow==');
    expect(authorizationOf({ bearer: 'mF_9.B5f-4.1JqM' })).toBe('Bearer mF_9.B5f-4.1JqM');
  });
});
