import { Injectable } from '@nestjs/common';
import { type Admitted, type NewAccount, SignUpInvitations } from '#identity';
import type { Tx } from '#platform';
import { Offers } from '#workspaces';

/** Whoever signs up with an invitation joins its workspace in the transaction of the sign-up. */
@Injectable()
export class SignUpInvitationsAdapter extends SignUpInvitations {
  constructor(private readonly offers: Offers) {
    super();
  }

  check(token: string, email: string): Promise<Admitted> {
    return this.offers.admits(token, email);
  }

  accept(tx: Tx, token: string, { userId, emailVerified, client }: NewAccount): Promise<void> {
    const origin = { actor: { kind: 'user', id: userId }, ...client } as const;
    return this.offers.acceptAtSignUp(tx, token, { userId, emailVerified, origin });
  }
}
