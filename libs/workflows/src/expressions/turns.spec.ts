import { takeTurn } from './turns';

describe('Turns', () => {
  test('are taken one after the other, in the order in which they were asked for', async () => {
    const log: string[] = [];
    const work = async (name: string): Promise<string> => {
      log.push(`${name} begins`);
      // Several turns of the microtask queue, in which others would begin if they could.
      for (let i = 0; i < 5; i += 1) await Promise.resolve();
      log.push(`${name} ends`);
      return name;
    };
    const results = await Promise.all(['a', 'b', 'c'].map(async (name) => takeTurn(async () => work(name))));
    expect(results).toEqual(['a', 'b', 'c']);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  test('go on after one that failed', async () => {
    const failing = takeTurn(async () => Promise.reject(new Error('no')));
    const next = takeTurn(async () => Promise.resolve(1));
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe(1);
  });
});
