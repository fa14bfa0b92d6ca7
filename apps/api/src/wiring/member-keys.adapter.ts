import { Injectable } from '@nestjs/common';
import { ApiKeys } from '#identity';
import type { Tx } from '#platform';
import { type LostRole, MemberKeys } from '#workspaces';

/** The keys that a member made end with the member's right to make them. */
@Injectable()
export class MemberKeysAdapter extends MemberKeys {
  constructor(private readonly keys: ApiKeys) {
    super();
  }

  revokeBeyond(tx: Tx, { origin, ...lost }: LostRole): Promise<void> {
    return this.keys.revokeBeyond(tx, { ...lost, ...origin });
  }
}
