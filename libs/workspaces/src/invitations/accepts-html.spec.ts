import { prefersHtml } from './accepts-html';

it.each([
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
  ['text/html', true],
  ['TEXT/HTML; charset=utf-8', true],
  ['text/*, application/json;q=0.5', true],
  ['application/json', false],
  ['*/*', false],
  ['', false],
  [undefined, false],
  ['text/html;q=0.5, application/json', false],
  ['text/html;q=0, */*', false],
  ['text/html;q=nonsense', false],
  [',;,', false],
])('a request that accepts %j would rather have a page: %s', (accept, expected) => {
  expect(prefersHtml(accept)).toBe(expected);
});
