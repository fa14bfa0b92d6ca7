import { z } from 'zod';
import { AppError, platformErrors } from '#platform';

/** What a new password must be like. Length is what counts; nothing is asked of its characters. */
export const PASSWORD_RULES = { minLength: 10, maxLength: 128, mayBeEmail: false } as const;

const { minLength, maxLength } = PASSWORD_RULES;
const NOT_THE_ADDRESS = 'must not be your e-mail address';

/** A password that is chosen now, wherever it is chosen. Whose it is, is asked of `isAddress`. */
export const newPassword = z
  .string()
  .min(minLength, `must have at least ${minLength} characters`)
  .max(maxLength, `must have at most ${maxLength} characters`);

/** A password as it is typed to be checked: a rule for new ones would say that a short one cannot be right. */
export const typedPassword = z
  .string()
  .min(1, 'must not be empty')
  .max(maxLength, `must have at most ${maxLength} characters`);

/** For the schema of a body that has both. */
export const passwordIsNotAddress = {
  check: ({ email, password }: { readonly email: string; readonly password: string }) =>
    !isAddress(password, email),
  params: { path: ['password'], message: NOT_THE_ADDRESS },
};

/** Throws request.invalid at `pointer` for the password that everybody would try first. */
export function refuseAddressAsPassword(email: string, password: string, pointer: `/${string}`): void {
  if (!isAddress(password, email)) return;
  throw new AppError(platformErrors.invalid, {
    detail: `${pointer.slice(1)} ${NOT_THE_ADDRESS}.`,
    problems: [{ pointer, code: 'password', message: NOT_THE_ADDRESS }],
  });
}

function isAddress(password: string, email: string): boolean {
  return password.trim().toLowerCase() === email.toLowerCase();
}
