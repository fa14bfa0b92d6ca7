import * as fc from 'fast-check';
import { Keys, parseConfig } from '#platform';
import { type HookIdentity, HookUrls } from './hook-token';

const urlsOf = (secret: number, environment: Readonly<Record<string, string>> = {}) =>
  new HookUrls(new Keys(Buffer.alloc(32, secret)), parseConfig(environment));
const urls = urlsOf(7);
const ids = ['0198c0de-0000-7000-8000-000000000001', '0198c0de-0000-7000-8000-000000000002'] as const;
/** Made by the first release. */
const GOLDEN = 'AZjA3gAAcACAAAAAAAAAAQGYwN4AAHAAgAAAAAAAAAKh2zjsPzPGRu4nmtnHwTEW';

const hooks: fc.Arbitrary<HookIdentity> = fc.record({
  workspaceId: fc.uuid(),
  hookId: fc.uuid(),
  generation: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
});

const verified = (token: string, generation: number, by = urls) => {
  const parsed = by.parse(token);
  return parsed !== null && by.verify(parsed, generation);
};

describe('HookUrls', () => {
  it('gives tokens of 64 URL-safe characters that tell which hook they are for', () => {
    fc.assert(
      fc.property(hooks, (hook) => {
        const token = urls.tokenOf(hook);
        expect(token).toMatch(/^[\w-]{64}$/);
        expect(urls.parse(token)).toMatchObject({ workspaceId: hook.workspaceId, hookId: hook.hookId });
        expect(verified(token, hook.generation)).toBe(true);
      }),
    );
  });

  it('accepts no other generation, no other installation and no other hook', () => {
    fc.assert(
      fc.property(hooks, fc.uuid(), (hook, otherId) => {
        fc.pre(otherId !== hook.hookId);
        const token = urls.tokenOf(hook);
        expect(verified(token, hook.generation + 1)).toBe(false);
        expect(verified(token, hook.generation, urlsOf(8))).toBe(false);
        const other = urls.tokenOf({ ...hook, hookId: otherId });
        // The mac of one hook behind the ids of another.
        expect(verified(other.slice(0, 42) + token.slice(42), hook.generation)).toBe(false);
      }),
    );
  });

  it('accepts no token with any character of its mac changed', () => {
    const hook = { workspaceId: ids[0], hookId: ids[1], generation: 1 };
    const token = urls.tokenOf(hook);
    for (let at = 43; at < token.length; at += 1) {
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      expect(verified(changed, 1)).toBe(false);
    }
  });

  it('takes nothing else for a token, and never throws', () => {
    const token = urls.tokenOf({ workspaceId: ids[0], hookId: ids[1], generation: 1 });
    for (const wrong of [
      '',
      token.slice(1),
      `${token}A`,
      `${token}\n`,
      `${token.slice(0, 63)}=`,
      `${token.slice(0, 63)}+`,
    ]) {
      expect(urls.parse(wrong)).toBeNull();
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        expect(verified(text, 1)).toBe(false);
      }),
    );
  });

  it('puts the token behind the public URL, or behind localhost without one', () => {
    const hook = { workspaceId: ids[0], hookId: ids[1], generation: 1 };
    expect(urlsOf(7, { PUBLIC_URL: 'https://flows.example/' }).urlOf(hook)).toBe(
      `https://flows.example/hooks/${urls.tokenOf(hook)}`,
    );
    expect(urlsOf(7, { PORT: '4000' }).urlOf(hook)).toBe(`http://localhost:4000/hooks/${urls.tokenOf(hook)}`);
  });

  it('is stable: a URL that was given out once works for ever', () => {
    expect(urls.tokenOf({ workspaceId: ids[0], hookId: ids[1], generation: 1 })).toBe(GOLDEN);
  });
});
