import { Injectable } from '@nestjs/common';
import { Principals } from '#identity';
import type { Tx } from '#platform';
import { ActingKeys } from '#workspaces';

/** Keys are identity's, which knows whether one still holds. */
@Injectable()
export class ActingKeysAdapter extends ActingKeys {
  constructor(private readonly principals: Principals) {
    super();
  }

  holds(tx: Tx, apiKeyId: string): Promise<boolean> {
    return this.principals.keyHolds(tx, apiKeyId);
  }
}
