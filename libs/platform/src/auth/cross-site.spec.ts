import { isCrossSite } from './cross-site';

const post = (headers: Record<string, string>) =>
  isCrossSite({ method: 'POST', headers, host: 'api.example:3000' }, 'https://app.example');

it.each([
  [{ 'sec-fetch-site': 'same-origin' }, false],
  [{ 'sec-fetch-site': 'none' }, false],
  [{ 'sec-fetch-site': 'same-site' }, true],
  [{ 'sec-fetch-site': 'cross-site' }, true],
  [{ 'sec-fetch-site': 'cross-site', origin: 'https://app.example' }, true],
  [{ origin: 'http://api.example:3000' }, false],
  [{ origin: 'https://app.example' }, false],
  [{ origin: 'https://evil.example' }, true],
  [{ origin: 'http://app.example' }, true],
  [{ origin: 'http://api.example' }, true],
  [{ origin: 'null' }, true],
  [{ origin: '' }, true],
  [{}, false],
])('judges %j as cross-site: %s', (headers, expected) => {
  expect(post(headers)).toBe(expected);
});

it('lets safe methods through: they change nothing', () => {
  const headers = { 'sec-fetch-site': 'cross-site' };
  expect(isCrossSite({ method: 'GET', headers, host: 'x' }, null)).toBe(false);
});
