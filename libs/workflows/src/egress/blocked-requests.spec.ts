import { recordedUrl } from './blocked-requests';

describe('a URL as it is kept', () => {
  it.each([
    ['https://u:p@api.example.com:8443/v1/items?key=secret#frag', 'https://api.example.com:8443/v1/items'],
    [
      'https://hooks.example.com/services/T0/B0/abcdefghijklmnopqrstuvwx',
      'https://hooks.example.com/services/T0/B0/abcd…',
    ],
    [`https://example.com/${'a/'.repeat(400)}`, `https://example.com/${'a/'.repeat(149)}a…`],
    ['data:text/plain,secret', 'data:'],
    [`${'s'.repeat(100)}:secret`, 's'.repeat(20)],
  ])('%s is %s', (url, kept) => {
    expect(recordedUrl(new URL(url))).toBe(kept);
  });
});
