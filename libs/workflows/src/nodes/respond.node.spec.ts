import { anExecution } from './node-kind.contract';
import { respondNode } from './respond.node';

function answer(params: object): unknown {
  return respondNode.execute(anExecution(respondNode.params.parse(params)));
}

function issuesOf(params: object): readonly string[] {
  const { error } = respondNode.params.safeParse(params);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('/')} ${message}`);
}

describe('A respond', () => {
  it('gives status, headers and body, and what is not said by default', () => {
    expect(answer({})).toEqual({ kind: 'done', output: { status: 200, headers: {} }, responds: true });
    expect(answer({ status: 201, headers: { Location: '/x', 'x-a': 'é\t' }, body: { id: 1 } })).toEqual({
      kind: 'done',
      output: { status: 201, headers: { Location: '/x', 'x-a': 'é\t' }, body: { id: 1 } },
      responds: true,
    });
    expect(answer({ body: null })).toEqual({
      kind: 'done',
      output: { status: 200, headers: {}, body: null },
      responds: true,
    });
  });

  it.each([204, 205, 304])('with status %i has no body', (status) => {
    expect(issuesOf({ status, body: '' })).toEqual([expect.stringContaining('body must be left out')]);
    expect(issuesOf({ status })).toEqual([]);
  });

  it.each([
    '',
    'a b',
    'a:b',
    'a\r\nb',
    'a\0',
    'é',
    'x'.repeat(101),
    'Connection',
    'content-length',
    'Transfer-Encoding',
    'KEEP-ALIVE',
    'Content-Encoding',
    'Upgrade',
    'Set-Cookie',
    'set-cookie2',
    'Clear-Site-Data',
    'Strict-Transport-Security',
    'Service-Worker-Allowed',
  ])('sets no header %j', (name) => {
    expect(issuesOf({ headers: { [name]: 'x' } })).toHaveLength(1);
  });

  it.each(['a\r\nSet-Cookie: b=c', 'a\nb', 'a\rb', 'a\0b', 'a\u007fb', '\u2028', '→', '\u0085\u0100'])(
    'sets no value %j, and does not repeat it',
    (value) => {
      const issues = issuesOf({ headers: { 'x-secret': value } });
      expect(issues).toEqual([expect.stringMatching(/^headers\/x-secret must have no line break/)]);
    },
  );

  it('has each header once, and not too many', () => {
    expect(issuesOf({ headers: { 'X-A': '1', 'x-a': '2' } })).toEqual([
      expect.stringContaining('headers/x-a is there twice'),
    ]);
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, '1']));
    expect(issuesOf({ headers: many(50) })).toEqual([]);
    expect(issuesOf({ headers: many(51) })).toHaveLength(1);
    expect(issuesOf({ headers: { 'x-a': 'x'.repeat(16_381) } })).toEqual([]);
    expect(issuesOf({ headers: { 'x-a': 'x'.repeat(16_382) } })).toHaveLength(1);
  });
});
