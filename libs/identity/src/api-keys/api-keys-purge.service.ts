import { Injectable } from '@nestjs/common';
import { Db } from '#platform';
import { purgeKeysOf } from './api-key.sql';

/** Deletes what identity keeps of a workspace that is purged. */
@Injectable()
export class ApiKeysPurge {
  constructor(private readonly db: Db) {}

  /** Deletes a batch; done once nothing is found. */
  async purge(workspaceId: string): Promise<{ readonly rows: number; readonly done: boolean }> {
    const [gone] = await this.db.executeControl(purgeKeysOf, workspaceId);
    return { rows: gone?.deleted ?? 0, done: !gone?.found };
  }
}
