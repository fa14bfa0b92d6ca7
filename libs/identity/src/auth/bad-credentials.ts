import { AppError } from '#platform';
import { identityErrors } from '../errors';

/** The one answer to whoever could not sign in, whatever the reason. */
export function badCredentials(): AppError {
  return new AppError(identityErrors.bad_credentials, {
    detail: 'There is no account with this e-mail address and password.',
  });
}
