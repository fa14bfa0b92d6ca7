import type { Random } from '#platform';

/** Leaves room for a suffix below the 64 characters of the column. */
const BASE_MAX_CHARS = 48;
/** 32 letters that are hard to confuse: five bits of a byte choose one, none more often than another. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const SUFFIX_CHARS = 6;

/** The readable part of a slug: `Müller & Söhne` gives `muller-sohne`, a name without Latin letters `workspace`. */
export function slugOf(name: string): string {
  const words = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
  const slug = words.join('-').slice(0, BASE_MAX_CHARS).replace(/-+$/, '');
  return slug === '' ? 'workspace' : slug;
}

/** The slug for another try, after the plain one was taken: `muller-sohne-k3x9qa`. */
export function withSuffix(slug: string, random: Random): string {
  const letters = [...random.bytes(SUFFIX_CHARS)].map((byte) => ALPHABET.charAt(byte % ALPHABET.length));
  return `${slug}-${letters.join('')}`;
}
