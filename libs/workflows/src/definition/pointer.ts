/** The RFC 6901 pointer of these keys, to be put behind the pointer of what they are in. */
export function pointerTo(...keys: readonly PropertyKey[]): string {
  return keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
