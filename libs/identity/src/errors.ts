import { defineErrors } from '#platform';

/** Every error that identity answers with, beside the general ones of the platform. */
export const identityErrors = defineErrors('identity', {
  email_taken: { kind: 'conflict', title: 'The e-mail address has an account already' },
  sign_up_closed: { kind: 'forbidden', title: 'Sign-up is by invitation only' },
  bad_credentials: { kind: 'unauthenticated', title: 'E-mail address or password is wrong' },
  wrong_password: { kind: 'forbidden', title: 'The password is wrong' },
  no_password: { kind: 'conflict', title: 'The account has no password' },
  reset_invalid: { kind: 'invalid', title: 'The link to reset a password does not work' },
  waitlist_closed: { kind: 'forbidden', title: 'There is no waiting list' },
  verification_invalid: { kind: 'invalid', title: 'The verification link does not work' },
  deletion_invalid: { kind: 'invalid', title: 'The link that deletes the account does not work' },
  account_owns_workspaces: { kind: 'conflict', title: 'The account owns workspaces that others are in' },
  session_not_fresh: { kind: 'forbidden', title: 'Sign in again to do this' },
  wrong_code: { kind: 'forbidden', title: 'The code is wrong' },
  challenge_invalid: { kind: 'unauthenticated', title: 'The sign-in does not wait for a code any more' },
  second_factor_on: { kind: 'conflict', title: 'Two-factor authentication is on already' },
  second_factor_off: { kind: 'conflict', title: 'Two-factor authentication is off' },
  oauth_failed: { kind: 'invalid', title: 'Signing in with the provider did not work' },
  email_unverified: { kind: 'forbidden', title: 'The provider has not verified your e-mail address' },
  account_unproven: { kind: 'forbidden', title: 'The account has not proven its e-mail address' },
  identity_taken: { kind: 'conflict', title: 'This sign-in belongs to another account' },
  provider_linked: { kind: 'conflict', title: 'The account is linked to another person of the provider' },
  last_sign_in_method: { kind: 'conflict', title: 'This is the only way to sign in' },
  role_not_grantable: { kind: 'forbidden', title: 'An API key cannot have this role' },
});
