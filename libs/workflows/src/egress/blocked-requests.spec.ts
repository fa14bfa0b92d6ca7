import { recordedPlace, recordedUrl } from './blocked-requests';

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

  // Seen to fail (`tok-…`, the beginning of the secret) with the cut before the mask.
  it('holds no secret of its run, nor the beginning of one', () => {
    const mask = (text: string) => text.replaceAll('tok-7f3b2c9d8e1a4f60-b5a9', '[secret TOKEN]');
    const context = { workspaceId: 'w', runId: 'r', nodeId: 'n', iteration: '', mask };
    const place = (url: string) => recordedPlace({ url: new URL(url), context });
    expect(place('https://example.com/a/tok-7f3b2c9d8e1a4f60-b5a9/b')).toEqual({
      host: 'example.com',
      url: 'https://example.com/a/[secret%20TOKEN]/b',
    });
    expect(place('https://tok-7f3b2c9d8e1a4f60-b5a9.example.com/a')).toEqual({
      host: '[secret TOKEN].example.com',
      url: 'https://…',
    });
  });
});
