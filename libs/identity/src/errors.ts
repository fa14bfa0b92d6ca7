import { defineErrors } from '#platform';

/** Every error that identity answers with, beside the general ones of the platform. */
export const identityErrors = defineErrors('identity', {
  email_taken: { kind: 'conflict', title: 'The e-mail address has an account already' },
  sign_up_closed: { kind: 'forbidden', title: 'Sign-up is by invitation only' },
  bad_credentials: { kind: 'unauthenticated', title: 'E-mail address or password is wrong' },
  verification_invalid: { kind: 'invalid', title: 'The verification link does not work' },
  role_not_grantable: { kind: 'forbidden', title: 'An API key cannot have this role' },
});
