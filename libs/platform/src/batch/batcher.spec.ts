import { Batcher } from './batcher';

/** A flush whose ends the test decides. */
function gated() {
  const batches: {
    items: readonly number[];
    finish: (results?: readonly number[]) => void;
    fail: (error: Error) => void;
  }[] = [];
  const flush = (items: readonly number[]): Promise<readonly number[]> =>
    new Promise((resolve, reject) => {
      batches.push({
        items,
        finish: (results) => resolve(results ?? items.map((item) => item * 10)),
        fail: reject,
      });
    });
  return { batches, flush };
}

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

describe('Batcher', () => {
  it('flushes what is submitted in one turn together, and gives each its own result', async () => {
    const { batches, flush } = gated();
    const batcher = new Batcher({ flush, maxBatch: 500, maxInFlight: 2 });
    const results = [1, 2, 3].map((item) => batcher.submit(item));
    expect(batches).toHaveLength(0);
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    batches[0]?.finish();
    await expect(Promise.all(results)).resolves.toEqual([10, 20, 30]);
  });

  it('lets items gather while all slots are taken, and takes them at once when one is free', async () => {
    const { batches, flush } = gated();
    const batcher = new Batcher({ flush, maxBatch: 3, maxInFlight: 2 });
    for (const item of [1, 2]) {
      void batcher.submit(item);
      await turn();
    }
    for (const item of [3, 4, 5, 6]) {
      void batcher.submit(item);
      await turn();
    }
    expect(batches.map(({ items }) => items)).toEqual([[1], [2]]);
    expect(batcher.size).toBe(4);
    batches[1]?.finish();
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([[1], [2], [3, 4, 5]]);
    expect(batcher.size).toBe(1);
    batches[0]?.finish();
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([[1], [2], [3, 4, 5], [6]]);
  });

  it('rejects every item of a batch whose flush fails, and goes on with the next', async () => {
    const { batches, flush } = gated();
    const batcher = new Batcher({ flush, maxBatch: 2, maxInFlight: 1 });
    const outcomes = Promise.allSettled([1, 2, 3].map((item) => batcher.submit(item)));
    await turn();
    const fault = new Error('commit failed');
    batches[0]?.fail(fault);
    await turn();
    batches[1]?.finish();
    await expect(outcomes).resolves.toEqual([
      { status: 'rejected', reason: fault },
      { status: 'rejected', reason: fault },
      { status: 'fulfilled', value: 30 },
    ]);
  });

  it('rejects a batch whose flush throws at once or gives too few results', async () => {
    const throwing = new Batcher<number, number>({
      flush: () => {
        throw new Error('at once');
      },
      maxBatch: 2,
      maxInFlight: 1,
    });
    await expect(throwing.submit(1)).rejects.toThrow('at once');
    await expect(throwing.submit(2)).rejects.toThrow('at once');
    const short = new Batcher<number, number>({ flush: async () => [], maxBatch: 2, maxInFlight: 1 });
    await expect(short.submit(1)).rejects.toThrow('A flush of 1 items gave 0 results.');
  });

  it('is idle only when nothing waits and nothing is being flushed', async () => {
    const { batches, flush } = gated();
    const batcher = new Batcher({ flush, maxBatch: 1, maxInFlight: 1 });
    await batcher.idle();
    void batcher.submit(1);
    void batcher.submit(2);
    let idle = false;
    const waiting = batcher.idle().then(() => {
      idle = true;
    });
    await turn();
    batches[0]?.finish();
    await turn();
    expect(idle).toBe(false);
    batches[1]?.finish();
    await waiting;
    expect(batcher.size).toBe(0);
  });

  it('hands out results that are undefined', async () => {
    const batcher = new Batcher<number, undefined>({
      flush: async (items) => items.map(() => undefined),
      maxBatch: 10,
      maxInFlight: 1,
    });
    await expect(Promise.all([batcher.submit(1), batcher.submit(2)])).resolves.toEqual([
      undefined,
      undefined,
    ]);
  });

  it('loses, repeats and reorders nothing under a flood, and keeps to its limits', async () => {
    const order: number[] = [];
    let inFlight = 0;
    let mostInFlight = 0;
    let largest = 0;
    const batcher = new Batcher<number, number>({
      maxBatch: 500,
      maxInFlight: 2,
      flush: async (items) => {
        order.push(...items);
        inFlight += 1;
        mostInFlight = Math.max(mostInFlight, inFlight);
        largest = Math.max(largest, items.length);
        await turn();
        inFlight -= 1;
        return items;
      },
    });
    const all = Array.from({ length: 100_000 }, (_, item) => item);
    const results = await Promise.all(all.map((item) => batcher.submit(item)));
    // Compared by hand: toEqual takes seconds for so many.
    expect([results.length, results.findIndex((result, item) => result !== item)]).toEqual([100_000, -1]);
    expect([order.length, order.findIndex((flushed, item) => flushed !== item)]).toEqual([100_000, -1]);
    expect([mostInFlight, largest]).toEqual([2, 500]);
  });

  it('refuses limits that let nothing through', () => {
    const flush = async (items: readonly number[]) => items;
    expect(() => new Batcher({ flush, maxBatch: 0, maxInFlight: 1 })).toThrow('room for one item');
  });
});
