import { FairQueue } from './fair-queue';

function takeAll(queue: FairQueue<string>): readonly string[] {
  const taken: string[] = [];
  for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next);
  return taken;
}

describe('A fair queue', () => {
  test('lets owners take turns, and keeps the order of each', () => {
    const queue = new FairQueue<string>({ length: 100, lengthPerOwner: 100 });
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.add(item.charAt(0), item);
    expect(takeAll(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    expect(queue.length).toBe(0);
  });

  test('serves one who comes with a single item before the thousand of another', () => {
    const queue = new FairQueue<string>({ length: 2_000, lengthPerOwner: 2_000 });
    for (let i = 0; i < 1_000; i += 1) queue.add('many', `many${i}`);
    queue.take();
    queue.add('one', 'one');
    expect([queue.take(), queue.take()]).toEqual(['many1', 'one']);
  });

  test('takes as many as it has room for, of all and of one', () => {
    const queue = new FairQueue<string>({ length: 3, lengthPerOwner: 2 });
    expect([queue.add('a', '1'), queue.add('a', '2'), queue.add('a', '3')]).toEqual([true, true, false]);
    expect([queue.add('b', '1'), queue.add('b', '2')]).toEqual([true, false]);
    queue.take();
    expect(queue.add('b', '2')).toBe(true);
  });

  test('gives up an item once', () => {
    const queue = new FairQueue<string>({ length: 10, lengthPerOwner: 10 });
    for (const item of ['1', '2', '3']) queue.add('a', item);
    expect([queue.remove('a', '2'), queue.remove('a', '2'), queue.remove('b', '1')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(queue.length).toBe(2);
    expect(takeAll(queue)).toEqual(['1', '3']);
  });

  test('forgets an owner whose last item was given up', () => {
    const queue = new FairQueue<string>({ length: 1, lengthPerOwner: 1 });
    queue.add('a', '1');
    queue.remove('a', '1');
    expect(queue.take()).toBeUndefined();
    expect(queue.length).toBe(0);
    expect(queue.add('b', '1')).toBe(true);
  });
});
