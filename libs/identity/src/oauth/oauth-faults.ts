import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client';
import { AppError, platformErrors } from '#platform';
import { identityErrors } from '../errors';

/** What openid-client says of an answer that came and is not right: trying again will not make it so. */
const WRONG_ANSWERS = new Set([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
]);

/** The 400 of a sign-in with a provider that cannot go on. */
export function oauthFailed(detail: string, cause?: unknown): AppError {
  return new AppError(identityErrors.oauth_failed, { detail: `${detail} Start again.`, cause });
}

/** Runs calls to a provider, and turns what goes wrong into a page for a person: it said no, or it is away. */
export async function askingProvider<T>(title: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw error instanceof AppError ? error : translated(title, error);
  }
}

function translated(title: string, error: unknown): AppError {
  const cause = withoutAnswer(error);
  if (error instanceof AuthorizationResponseError) {
    return oauthFailed(`${title} did not sign you in (${shown(error.error)}).`, cause);
  }
  // The client's own secret being wrong is the operator's to mend: for the person the provider is out of reach.
  if (error instanceof ResponseBodyError && error.status < 500 && error.error !== 'invalid_client') {
    return oauthFailed(`${title} did not take the way back (${shown(error.error)}).`, cause);
  }
  if (error instanceof ClientError && WRONG_ANSWERS.has(error.code ?? '')) {
    return oauthFailed(`The answer of ${title} could not be verified.`, cause);
  }
  return new AppError(platformErrors.unavailable, {
    detail: `${title} cannot be reached at the moment. Try again shortly, or sign in another way.`,
    cause,
  });
}

/** Errors of the client carry the provider's whole answer, tokens included: the log gets what they say and no more. */
function withoutAnswer(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('A call to a provider failed.');
  const { cause } = error;
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new Error(`${error.name}: ${error.message}${reason}`);
}

/** Error codes come with the address of the callback, so anybody can have written them. */
function shown(code: string): string {
  return code.replace(/[^\w.-]/g, '').slice(0, 60) || 'no reason given';
}
