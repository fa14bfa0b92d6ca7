import * as fc from 'fast-check';
import { CountingRandom } from '#platform/testing';
import { slugOf, withSuffix } from './slug';

/** The CHECK of the column. */
const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;

describe('slug', () => {
  it.each([
    ['Acme', 'acme'],
    ['Müller & Söhne', 'muller-sohne'],
    ['  Ops -- EU (2) ', 'ops-eu-2'],
    ['日本', 'workspace'],
    ['ﬁne', 'fine'],
  ])('makes of %j %j', (name, expected) => {
    expect(slugOf(name)).toBe(expected);
  });

  it('is storable for every name, with and without a suffix', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (name) => {
        const suffixed = withSuffix(slugOf(name), new CountingRandom());
        expect(slugOf(name)).toMatch(SLUG);
        expect(suffixed).toMatch(SLUG);
        expect(suffixed.length).toBeLessThanOrEqual(64);
      }),
    );
  });

  it('gives another suffix at each try', () => {
    const random = new CountingRandom();
    expect(withSuffix('acme', random)).not.toBe(withSuffix('acme', random));
  });
});
