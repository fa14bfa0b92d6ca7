import { workspaceChange } from './workspaces.dto';

describe('a change of a workspace', () => {
  it.each([
    [{}, true],
    [{ slug: 'abc' }, true],
    [{ slug: 'a-1-b2' }, true],
    [{ slug: 'x'.repeat(64) }, true],
    [{ slug: 'ab' }, false],
    [{ slug: 'x'.repeat(65) }, false],
    [{ slug: 'Abc' }, false],
    [{ slug: 'a--b' }, false],
    [{ slug: '-abc' }, false],
    [{ slug: 'abc-' }, false],
    [{ slug: 'ä-b-c' }, false],
    [{ slug: null }, false],
    [{ name: '' }, false],
    [{ plan: 'enterprise' }, false],
    [{ ownerId: 'me' }, false],
  ])('may be %j: %s', (change, taken) => {
    expect(workspaceChange.safeParse(change).success).toBe(taken);
  });
});
