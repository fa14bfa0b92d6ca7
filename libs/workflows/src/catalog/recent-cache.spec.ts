import { PinnedClock } from '#platform/testing';
import { RecentCache } from './recent-cache';

describe('RecentCache', () => {
  function aCache(maxEntries = 10) {
    const clock = new PinnedClock('2026-01-05T12:00:00Z');
    const loads: string[] = [];
    const cache = new RecentCache<string>(clock, { maxAgeMs: 100, maxEntries });
    const get = (key: string, value: string | null = key) =>
      cache.get(key, () => {
        loads.push(key);
        return Promise.resolve(value);
      });
    return { clock, cache, loads, get };
  }

  it('loads again only when the answer is as old as allowed', async () => {
    const { clock, loads, get } = aCache();
    expect(await get('a', 'old')).toBe('old');
    clock.advance(99);
    expect(await get('a', 'new')).toBe('old');
    clock.advance(1);
    expect(await get('a', 'new')).toBe('new');
    expect(loads).toEqual(['a', 'a']);
  });

  it('loads once for all who ask at a time', async () => {
    const { loads, get } = aCache();
    expect(await Promise.all([get('a', '1'), get('a', '2'), get('a', '3')])).toEqual(['1', '1', '1']);
    expect(loads).toEqual(['a']);
  });

  it('remembers neither what was not found nor what failed', async () => {
    const { cache, get } = aCache();
    expect(await get('a', null)).toBeNull();
    expect(await get('a', 'there now')).toBe('there now');
    await expect(cache.get('b', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await get('b', 'up')).toBe('up');
  });

  it('gives nobody who asks after a forget() what was being loaded before it', async () => {
    const { cache, get } = aCache();
    let finish: (value: string) => void = () => undefined;
    const early = cache.get('a', () => new Promise((resolve) => (finish = resolve)));
    cache.forget('a');
    const late = get('a', 'new');
    finish('old');
    expect([await early, await late, await get('a', 'never loaded')]).toEqual(['old', 'new', 'new']);
  });

  it('holds no more than it may, and lets the oldest go', async () => {
    const { loads, get } = aCache(2);
    for (const key of ['a', 'b', 'c', 'b', 'c', 'a']) await get(key);
    expect(loads).toEqual(['a', 'b', 'c', 'a']);
  });
});
