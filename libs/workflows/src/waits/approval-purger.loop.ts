import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock, Db, type LoopDuty, type LoopResult, Loops } from '#platform';
import { purgeApprovals } from './approvals.sql';

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

  async runOnce(): Promise<LoopResult> {
    let most = 0;
    let rows = 0;
    for (const { id } of await this.db.cells.list()) {
      const gone = await this.db.execute(id, purgeApprovals, this.clock.pinned(), BATCH);
      most = Math.max(most, gone.length);
      rows += gone.length;
    }
    return { rows, again: most === BATCH };
  }
}
