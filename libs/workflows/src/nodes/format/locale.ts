import { z } from 'zod';

/** A language tag that Intl knows how to read. */
export const locale = z
  .string()
  .max(35)
  .refine(isLocale, { error: 'must be a language tag like en-GB' })
  .default('en-US');

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
