import type { RatePolicy } from '#platform';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** A limit on the client's address; `RATE_LIMIT_SCALE` multiplies it. */
const perIp = (name: string, limit: number, windowSeconds: number) =>
  ({ name, limit, windowSeconds, by: 'ip' }) as const;
/** A limit on the e-mail address in the body, with an account or without. */
const perAddress = (name: string, limit: number, windowSeconds: number) =>
  ({ name, limit, windowSeconds, by: { body: 'email' } }) as const;
/** A limit on whoever is signed in, in all of their sessions together. */
const perPerson = (name: string, limit: number, windowSeconds: number) =>
  ({ name, limit, windowSeconds, by: 'principal' }) as const;

/** Limits of routes, for `@RateLimit`: taken before anything else is done. The README says why each is what it is. */
export const routeLimits = {
  signInPerIp: perIp('sign-in-ip', 100, 15 * MINUTE),
  /** The lock of an account: a right password or a new one gives the budget back. */
  signIn: perAddress('sign-in', 10, 15 * MINUTE),
  signUpPerIp: perIp('sign-up-ip', 20, HOUR),
  signUp: perAddress('sign-up', 10, HOUR),
  mailPerIp: perIp('mail-ip', 20, HOUR),
  waitlistPerIp: perIp('waitlist-ip', 20, HOUR),
  tokenPerIp: perIp('token-ip', 60, 15 * MINUTE),
  /** Guesses at the password of somebody whose session one has. */
  passwordCheck: perPerson('password-check', 10, 15 * MINUTE),
  /** Codes of second factors, beside the limit on those of one person. */
  secondFactorPerIp: perIp('second-factor-ip', 60, 15 * MINUTE),
  /** Journeys to providers and back, each of which may make us call them. */
  oauthPerIp: perIp('oauth-ip', 60, 15 * MINUTE),
  emailChange: perPerson('email-change', 5, HOUR),
  accountDeletion: perPerson('account-deletion', 5, 24 * HOUR),
} as const;

/** How many mails of a kind may go to one address: taken in the transaction that enqueues them. */
export const mailLimits = {
  reset: { name: 'reset-mail', limit: 3, windowSeconds: HOUR },
  verification: { name: 'verification-mail', limit: 3, windowSeconds: HOUR },
  emailChange: { name: 'email-change-mail', limit: 3, windowSeconds: HOUR },
} as const satisfies Readonly<Record<string, RatePolicy>>;

/** An e-mail address as limits count it: whoever changes letter case is the same. `@RateLimit` counts alike. */
export function limitSubject(email: string): string {
  return email.trim().toLowerCase();
}
