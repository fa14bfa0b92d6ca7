import { Injectable } from '@nestjs/common';
import { Principals } from '#identity';
import { LivePrincipals, type Principal } from '#platform';

/** Sessions and keys are identity's, which knows whether they still hold. */
@Injectable()
export class LivePrincipalsAdapter extends LivePrincipals {
  constructor(private readonly principals: Principals) {
    super();
  }

  holds(principal: Principal): Promise<boolean> {
    return this.principals.holds(principal);
  }
}
