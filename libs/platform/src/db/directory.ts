import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';
import { Db } from './db';
import { statement } from './statement';
import type { Tx } from './tx';

/** Purpose: the anchor row that a workspace's cell tables refer to. Index: tenants_pkey. Rows: one. */
const anchorTenant = statement<[workspaceId: string]>(
  'anchor-tenant',
  `insert into tenants (workspace_id) values ($1::uuid) on conflict do nothing`,
);

/** Purpose: records where a workspace lives. Index: workspace_directory_pkey. Rows: one. */
const assignWorkspace = statement<[workspaceId: string, cellId: string]>(
  'assign-workspace',
  `insert into workspace_directory (workspace_id, cell_id) values ($1::uuid, $2)`,
);

/**
 * Places new workspaces in cells. Cells may live on other servers, so no transaction spans both sides: the anchor
 * is made first, and a crash before `assign` leaves an anchor without a workspace, which nothing can reach.
 */
@Injectable()
export class TenantDirectory {
  constructor(private readonly db: Db) {}

  /**
   * Chooses a cell for a new workspace and anchors it there. Call it outside any transaction (it opens one), then
   * `assign` inside the transaction that creates the workspace.
   */
  async prepare(workspaceId: string): Promise<string> {
    const open = (await this.db.cells.list()).filter((cell) => cell.acceptsTenants);
    const chosen = open[hashed(workspaceId) % Math.max(open.length, 1)];
    if (!chosen) {
      throw new AppError(platformErrors.unavailable, { detail: 'No cell accepts new workspaces.' });
    }
    await this.db.execute(chosen.id, anchorTenant, workspaceId);
    return chosen.id;
  }

  /** Records the choice in the control transaction that creates the workspace. */
  async assign(tx: Tx, workspaceId: string, cellId: string): Promise<void> {
    await tx.query(assignWorkspace, workspaceId, cellId);
  }
}

/** Spreads workspaces over cells evenly without shared state. UUIDv7 begins with the time, so all of it is hashed. */
function hashed(workspaceId: string): number {
  return createHash('sha256').update(workspaceId).digest().readUInt32BE(0);
}
