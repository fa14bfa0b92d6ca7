import { AppError } from '../errors/app-error';
import { checkUrl } from './url-guard';

function pointerOf(url: string): string | undefined {
  try {
    checkUrl(url);
    return 'fine';
  } catch (error) {
    return error instanceof AppError ? error.context.problems?.[0]?.pointer : 'another error';
  }
}

it.each([
  ['/v1/items?limit=1', 'fine'],
  ['/v1/caf%C3%A9?q=a%20b%26', 'fine'],
  ['/v1/%00', 'path'],
  ['/v1/%ff', 'path'],
  ['/v1/%E0%A4%A', 'path'],
  ['/v1?a=1&b=%00', '?b'],
  ['/v1?a%00=1', '?a\0'],
  ['/v1?a=%ED%A0%80', '?a'],
  ['/v1?a=1?b=%zz', 'fine'],
])('judges %s as %s', (url, expected) => {
  expect(pointerOf(url)).toBe(expected);
});
