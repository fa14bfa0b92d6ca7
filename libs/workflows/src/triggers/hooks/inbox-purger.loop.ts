import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock, Db, type LoopDuty, type LoopResult, Loops } from '#platform';
import { purgeDeliveries } from './hook-deliveries.sql';
import { purgeReplays } from './hook-replays.sql';
import { purgeSecrets } from './hook-secrets.sql';
import { purgeInCells } from '../../retention/purge-in-cells';

const BATCH = 2_000;

/** Forgets signatures that cannot be sent again any more, deliveries past their days, and secrets that have ended. */
@Injectable()
export class InboxPurger implements LoopDuty, OnModuleInit {
  readonly name = 'hook-inbox-purger';
  readonly role = 'scheduler';
  readonly everyMs = 60_000;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly loops: Loops,
  ) {}

  onModuleInit(): void {
    this.loops.add(this);
  }

  runOnce(): Promise<LoopResult> {
    const now = this.clock.pinned();
    return purgeInCells(this.db, BATCH, [
      (cellId) => this.db.execute(cellId, purgeReplays, now, BATCH),
      (cellId) => this.db.execute(cellId, purgeDeliveries, now, BATCH),
      (cellId) => this.db.execute(cellId, purgeSecrets, now, BATCH),
    ]);
  }
}
