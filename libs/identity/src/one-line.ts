import { z } from 'zod';

/** Names go into subjects of mails and into lists of one line each. */
const CONTROL = /\p{Cc}/u;

/** A text on one line, trimmed, of 1 to `maxChars` characters. */
export function oneLine(maxChars: number) {
  return z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(maxChars, `must have at most ${maxChars} characters`)
    .refine((text) => !CONTROL.test(text), 'must not contain control characters');
}
