import { oneLine } from '../one-line';
import { emailAddress } from '#platform';

/** An address of a provider that can be an account's here; others are as good as none. */
export const providerAddress = emailAddress.nullable();

/** A name of a provider, as names are taken at sign-up. */
export const personName = oneLine(100).nullable();
