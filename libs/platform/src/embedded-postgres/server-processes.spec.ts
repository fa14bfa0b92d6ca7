import { parsePostmasterFile } from './server-processes';

describe('parsePostmasterFile', () => {
  it('reads the process and the port of a running server', () => {
    const text = '4711\n/data/cluster\n1763640000\n25432\n\n127.0.0.1\n  1234567         5\nready   \n';
    expect(parsePostmasterFile(text)).toEqual({ pid: 4711, port: 25432 });
  });

  it('reads a file whose last lines are not written yet', () => {
    expect(parsePostmasterFile('4711\n/data/cluster\n1763640000\n25432\n')).toEqual({
      pid: 4711,
      port: 25432,
    });
  });

  it.each([
    ['an empty file', ''],
    ['a file that ends early', '4711\n/data'],
    ['a single-user server', '-4711\n/data/cluster\n1763640000\n25432\n'],
    ['process 0, which would be every process of our group', '0\n/data/cluster\n1763640000\n25432\n'],
    ['process 1, which is never ours', '1\n/data/cluster\n1763640000\n25432\n'],
    ['no number', 'x\n/data/cluster\n1763640000\n25432\n'],
  ])('takes %s for no server', (_name, text) => {
    expect(parsePostmasterFile(text)).toBeUndefined();
  });
});
