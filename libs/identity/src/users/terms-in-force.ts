import { AppError, type Config, platformErrors } from '#platform';

/** Throws request.invalid at `pointer` unless `accepted` is the version of the terms in force. */
export function refuseOtherTerms({ values }: Config, accepted: string, pointer: `/${string}`): void {
  const { termsVersion } = values;
  if (accepted === termsVersion) return;
  const message = `must be "${termsVersion}", the version of the terms that you accept`;
  throw new AppError(platformErrors.invalid, {
    detail: `${pointer.slice(1)} ${message}.`,
    problems: [{ pointer, code: 'terms_version', message }],
  });
}
