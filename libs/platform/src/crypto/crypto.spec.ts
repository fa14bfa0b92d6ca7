import { hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { CountingRandom } from '#platform/testing';
import { SystemRandom } from '../ids/random';
import { constantTimeEqual, sha256 } from './digest';
import { KeyRing } from './key-ring';
import { Keys } from './keys';
import { SecretBox, SecretBoxError } from './secret-box';

const secretKey = Buffer.alloc(32, 7);

describe('Keys', () => {
  it('derives the same key for a purpose in every process, and another for each purpose and secret', () => {
    const mail = new Keys(secretKey).derive('mail');
    expect(mail).toHaveLength(32);
    expect(new Keys(Buffer.from(secretKey)).derive('mail')).toEqual(mail);
    expect(new Keys(secretKey).derive('session')).not.toEqual(mail);
    expect(new Keys(Buffer.alloc(32, 8)).derive('mail')).not.toEqual(mail);
  });

  it('follows RFC 5869, so that the keys can be derived without this program', () => {
    const expected = Buffer.from(hkdfSync('sha256', secretKey, '', 'millrace/mail', 32));
    expect(new Keys(secretKey).derive('mail')).toEqual(expected);
    expect(new Keys(secretKey).derive('mail').toString('hex')).toBe(
      '2e47610816dc7f4eca9ab8e8154ac0f9ec43330a62bd15291432b587fd55b9de',
    );
  });

  it('refuses a secret of the wrong length', () => {
    expect(() => new Keys(Buffer.alloc(31))).toThrow('31 bytes instead of 32');
  });

  it('keeps its own copy of the secret', () => {
    const given = Buffer.from(secretKey);
    const keys = new Keys(given);
    given.fill(0);
    expect(keys.fingerprint()).toBe(new Keys(secretKey).fingerprint());
  });
});

describe('SecretBox', () => {
  const box = new SecretBox(new Keys(secretKey).derive('test'), new SystemRandom());

  it('gives back any text it was given, in its context', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, context) => {
        expect(box.open(box.seal(text, context), context)).toBe(text);
      }),
    );
  });

  it('seals one text differently each time, with the key id in front', () => {
    const one = box.seal('same', 'row:1');
    const other = box.seal('same', 'row:1');
    expect(one.equals(other)).toBe(false);
    expect(one[0]).toBe(1);
    expect(one).toHaveLength(1 + 12 + 16 + 4);
    expect(one.includes('same')).toBe(false);
  });

  it('does not open in another context or with another key', () => {
    const sealed = box.seal('text', 'row:1');
    const stranger = new SecretBox(new Keys(secretKey).derive('other'), new CountingRandom());
    expect(() => box.open(sealed, 'row:2')).toThrow(SecretBoxError);
    expect(() => stranger.open(sealed, 'row:1')).toThrow(SecretBoxError);
  });

  it('notices every changed bit and every missing byte', () => {
    const sealed = box.seal('a text of some length', 'row:1');
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => box.open(changed, 'row:1')).toThrow(SecretBoxError);
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => box.open(sealed.subarray(0, length), 'row:1')).toThrow(SecretBoxError);
    }
  });
});

describe('KeyRing', () => {
  const keys = new Keys(secretKey);
  const [two, three] = [
    { id: 2, key: Buffer.alloc(32, 2) },
    { id: 3, key: Buffer.alloc(32, 3) },
  ];
  const ringOf = (...given: readonly { id: number; key: Buffer }[]) =>
    new KeyRing(keys, given, new SystemRandom());

  it('seals with its first key, and opens what any of its keys has sealed, the derived one included', () => {
    const derived = ringOf().seal('old', 'row');
    const second = ringOf(two).seal('newer', 'row');
    const third = ringOf(three, two).seal('newest', 'row');
    expect([derived[0], second[0], third[0]]).toEqual([1, 2, 3]);
    const ring = ringOf(three, two);
    expect([derived, second, third].map((box) => ring.open(box, 'row'))).toEqual(['old', 'newer', 'newest']);
    expect(ring.currentId).toBe(3);
    expect(ringOf().currentId).toBe(1);
  });

  it('says which key is missing, and opens nothing for a stranger, whatever the number says', () => {
    const sealed = ringOf(two).seal('text', 'row');
    expect(() => ringOf(three).open(sealed, 'row')).toThrow('key 2, which the ring has not');
    expect(() => ringOf({ id: 2, key: three.key }).open(sealed, 'row')).toThrow(SecretBoxError);
    expect(() => ringOf(two).open(Buffer.alloc(0), 'row')).toThrow(SecretBoxError);
    const relabelled = Buffer.concat([Buffer.of(3), sealed.subarray(1)]);
    expect(() => ringOf({ id: 3, key: two.key }).open(relabelled, 'row')).toThrow(SecretBoxError);
  });
});

describe('digests', () => {
  it('is the SHA-256 everybody knows', () => {
    expect(sha256('abc').toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });

  it('compares texts and bytes of any length', () => {
    expect(constantTimeEqual('one', Buffer.from('one'))).toBe(true);
    expect(constantTimeEqual('one', 'ones')).toBe(false);
    expect(constantTimeEqual('', '')).toBe(true);
  });
});
