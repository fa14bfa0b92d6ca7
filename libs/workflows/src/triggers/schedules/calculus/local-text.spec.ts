import { localText } from './local-text';

describe('localText', () => {
  const at = Date.parse('2026-03-02T13:00:00Z');

  it.each([
    [0, '2026-03-02T13:00:00+00:00'],
    [3_600_000, '2026-03-02T14:00:00+01:00'],
    [-12_600_000, '2026-03-02T09:30:00-03:30'],
    [1_172_000, '2026-03-02T13:19:32+00:19:32'],
    [50_400_000, '2026-03-03T03:00:00+14:00'],
  ])('shows what is %d ms ahead of UTC', (offsetMs, text) => {
    expect(localText(at, offsetMs)).toBe(text);
  });

  it('shows milliseconds where there are any', () => {
    expect(localText(at + 250, 0)).toBe('2026-03-02T13:00:00.250+00:00');
  });
});
