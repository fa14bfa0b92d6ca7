import { Injectable } from '@nestjs/common';
import { Db } from '#platform';
import { purgeUsage } from './sql/purge-usage.sql';

/** Deletes what billing keeps of a workspace that is purged. */
@Injectable()
export class UsagePurge {
  constructor(private readonly db: Db) {}

  /** Deletes a batch; done once nothing is found. */
  async purge(workspaceId: string): Promise<{ readonly rows: number; readonly done: boolean }> {
    const cellId = await this.db.cellOf(workspaceId);
    const [gone] = await this.db.execute(cellId, purgeUsage, workspaceId);
    return { rows: gone?.deleted ?? 0, done: !gone?.found };
  }
}
