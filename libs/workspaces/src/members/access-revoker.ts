import { Injectable } from '@nestjs/common';
import { AccessChanges, type Tx } from '#platform';
import { InvitationGrants } from '../invitations/invitation-grants.service';
import { type LostRole, MemberKeys } from '../ports';
import { permissionsOf } from './role';

/** Sees to it that somebody who lost a role loses at once what they had by it. */
@Injectable()
export class AccessRevoker {
  constructor(
    private readonly keys: MemberKeys,
    private readonly grants: InvitationGrants,
    private readonly accessChanges: AccessChanges,
  ) {}

  /** In the transaction that took the role away, after it did: what is open for them (streams) is looked at again. */
  async revoke(tx: Tx, lost: LostRole): Promise<void> {
    await this.#takeBackWhatTheyHandedOut(tx, lost);
    await this.accessChanges.announce(tx, `user:${lost.userId}`);
  }

  /** Everything by which others could go on acting on the word of somebody who may no longer give it. */
  async #takeBackWhatTheyHandedOut(tx: Tx, lost: LostRole): Promise<void> {
    await this.keys.revokeBeyond(tx, lost);
    // Whoever may still let people in keeps what they handed out, as far as their role reaches.
    if (lost.role === null || !permissionsOf(lost.role).has('member:manage'))
      await this.grants.withdrawOf(tx, lost);
  }
}
