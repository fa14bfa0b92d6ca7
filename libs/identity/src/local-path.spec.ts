import fc from 'fast-check';
import { localPathOf } from './local-path';

const BASE = 'https://app.example.com/v1/auth/oauth/google/callback';

describe('A path to go on to', () => {
  it.each([
    ['/', '/'],
    ['/workspaces/1?tab=runs#last', '/workspaces/1?tab=runs#last'],
    ['/a/../b', '/b'],
    ['/über uns', '/%C3%BCber%20uns'],
    ['/?next=//evil.example', '/?next=//evil.example'],
  ])('may be %s', (text, path) => expect(localPathOf(text)).toBe(path));

  it.each([
    '',
    'dashboard',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    '/%2e//evil.example',
    ' //evil.example',
    'https://evil.example/',
    'https:/evil.example',
    'javascript:alert(1)',
    '/'.repeat(501),
    `/${'x'.repeat(500)}`,
  ])('may not be %j', (text) => expect(localPathOf(text)).toBeNull());

  it('never leads a browser to another site, whatever it is made of', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '\t',
      '\r',
      '@',
      ':',
      '?',
      '#',
      '%2f',
      '%5c',
      '%2e',
      'evil.example',
      'https',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = localPathOf(`/${pieces.join('')}`);
        expect(path === null || new URL(path, BASE).origin === new URL(BASE).origin).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
