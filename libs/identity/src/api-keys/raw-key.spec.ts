import { SystemRandom } from '#platform';
import { newRawKey, prefixOf, shownKey } from './raw-key';

describe('A raw API key', () => {
  it('says what it is and gives its prefix back', () => {
    const { raw, prefix } = newRawKey(new SystemRandom());
    expect(raw).toMatch(/^mr_live_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(prefixOf(raw)).toBe(prefix);
    expect(shownKey(prefix)).toBe(`mr_live_${prefix}_…`);
  });

  it.each(['', 'mr_live_', 'mr_test_0123456789abcdef_x', 'A'.repeat(43), '\0', 'mr_live_0123456789ABCDEF_'])(
    'is not %j',
    (text) => {
      expect(prefixOf(text)).toBeNull();
    },
  );
});
