import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock, Db, type LoopDuty, type LoopResult, Loops } from '#platform';
import { purgeApprovals } from './approvals.sql';
import { purgeInCells } from '../retention/purge-in-cells';

const BATCH = 500;

/** Forgets what runs asked of people once they are long over: longer than any plan keeps the runs themselves. */
@Injectable()
export class ApprovalPurger implements LoopDuty, OnModuleInit {
  readonly name = 'approval-purger';
  readonly role = 'scheduler';
  readonly everyMs = 3600_000;

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
    return purgeInCells(this.db, BATCH, [(cellId) => this.db.execute(cellId, purgeApprovals, now, BATCH)]);
  }
}
