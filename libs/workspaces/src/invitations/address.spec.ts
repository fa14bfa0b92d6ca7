import * as fc from 'fast-check';
import { isOfDomain, isSameAddress, maskedAddress } from './address';

describe('maskedAddress', () => {
  it.each([
    ['ada@example.com', 'a***@e***.com'],
    ['a@e.io', 'a***@e***.io'],
    ['ada.lovelace+mill@mail.example.co.uk', 'a***@m***.uk'],
    ['ada@localhost', 'a***@l***'],
  ])('shows %s as %s', (email, masked) => {
    expect(maskedAddress(email)).toBe(masked);
  });

  it('tells no more than two letters and the last part, not even a length', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,20}$/);
    fc.assert(
      fc.property(word, word, (local, domain) => {
        expect(maskedAddress(`${local}@${domain}.org`)).toBe(`${local[0]}***@${domain[0]}***.org`);
      }),
    );
  });
});

describe('isSameAddress', () => {
  it('looks past letter case and nothing else', () => {
    expect(isSameAddress('Ada@Example.com', 'aDA@example.COM')).toBe(true);
    expect(isSameAddress('ada@example.com', 'ada+1@example.com')).toBe(false);
  });
});

describe('isOfDomain', () => {
  it.each([
    ['ada@acme.com', true],
    ['ada@ACME.com', true],
    ['ada@evil-acme.com', false],
    ['ada@eu.acme.com', false],
    ['ada@acme.com.evil.example', false],
    ['"x@acme.com"@evil.example', false],
    ['ada@acme.co', false],
    ['ada@', false],
  ])('judges %s of acme.com: %s', (email, expected) => {
    expect(isOfDomain(email, ['other.example', 'acme.com'])).toBe(expected);
  });

  it('lets nobody in for no domain at all', () => {
    expect(isOfDomain('ada@acme.com', [])).toBe(false);
  });
});
