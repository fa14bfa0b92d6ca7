import passport from 'passport';
import type { CredentialHeaders } from './bearer';

type Verified = (error: unknown, principal?: object | null) => void;
type Verify = (request: CredentialHeaders, done: Verified) => void;

/**
 * A passport strategy whose credentials are in the request's headers. Passport works on objects derived from a
 * strategy, which have no `#private` members: hence an ordinary field.
 */
export class RequestStrategy extends passport.Strategy {
  constructor(private readonly verify: Verify) {
    super();
  }

  override authenticate(request: CredentialHeaders): void {
    this.verify(request, (error, principal) => {
      if (error) this.error(error);
      else if (principal) this.success(principal);
      else this.fail(401);
    });
  }
}
