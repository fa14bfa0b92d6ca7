import type { Random } from '#platform';

/** Says what it is and lets secret scanners find it. */
const MARK = 'mr_live_';
const RAW_KEY = /^mr_live_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

/** A key as it is handed out, and its public part. */
export interface RawKey {
  readonly raw: string;
  readonly prefix: string;
}

/** Makes a key: `mr_live_<16 hex digits>_<43 characters of base64url>`; 64 public bits find it, 256 secret ones prove it. */
export function newRawKey(random: Random): RawKey {
  const prefix = random.bytes(8).toString('hex');
  return { raw: `${MARK}${prefix}_${random.token()}`, prefix };
}

/** The prefix of a text that is an API key by its form, else null: other bearers are no business of API keys. */
export function prefixOf(text: string): string | null {
  return RAW_KEY.exec(text)?.[1] ?? null;
}

/** What people see of a key ever after. */
export function shownKey(prefix: string): string {
  return `${MARK}${prefix}_…`;
}
