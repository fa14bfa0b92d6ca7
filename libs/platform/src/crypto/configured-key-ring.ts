import type { Config } from '../config/config';
import type { Random } from '../ids/random';
import { KeyRing } from './key-ring';
import type { Keys } from './keys';

/** The ring of an installation: the keys of ENCRYPTION_KEYS, and the one that derives from its secret. */
export function configuredKeyRing(
  { values: { encryptionKeys } }: Config,
  keys: Keys,
  random: Random,
): KeyRing {
  const given = encryptionKeys.map(({ id, key }) => ({ id, key: Buffer.from(key.reveal(), 'base64') }));
  return new KeyRing(keys, given, random);
}
