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

/** Purpose: the cell tables of a workspace are empty, its anchor goes. Index: tenants_pkey. Rows: one or none. */
const removeAnchor = statement<[workspaceId: string], { readonly workspaceId: string }>(
  'remove-tenant-anchor',
  `delete from tenants where workspace_id = $1::uuid returning workspace_id as "workspaceId"`,
);

/** Purpose: nobody finds the place of a workspace any more. Index: workspace_directory_pkey. Rows: one or none. */
const forgetWorkspace = statement<[workspaceId: string]>(
  'forget-workspace',
  `delete from workspace_directory where workspace_id = $1::uuid`,
);

/**
 * Purpose: answers that were stored for requests to a workspace, and whether there were any when it began. Locks: the rows
 * it deletes; those another process is deleting are left to it. Index: none; keys live for a day, and a workspace that is
 * purged has had no request for longer, so it is one look through a day's keys. Rows: one batch.
 */
const removeAnswers = statement<[workspaceId: string], { readonly deleted: number; readonly found: boolean }>(
  'remove-idempotency-keys-of-workspace',
  `with gone as (
     delete from idempotency_keys where ctid in (
       select ctid from idempotency_keys where workspace_id = $1::uuid limit 1000 for update skip locked)
     returning key
   )
   select count(*)::integer as deleted, exists (select from idempotency_keys where workspace_id = $1::uuid) as found
     from gone`,
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

  /**
   * Deletes a batch of what platform keeps of a workspace, its anchor last; fails while a table of its cell still refers
   * to it. The directory entry stays: `forget` removes it with the workspace itself. Outside any transaction.
   */
  async purge(workspaceId: string): Promise<{ readonly rows: number; readonly done: boolean }> {
    const [answers] = await this.db.executeControl(removeAnswers, workspaceId);
    if (answers?.found) return { rows: answers.deleted, done: false };
    const cellId = await this.db.cellOf(workspaceId);
    const anchors = await this.db.execute(cellId, removeAnchor, workspaceId);
    return { rows: anchors.length, done: true };
  }

  /** Forgets where a workspace lived, in the control transaction that removes the workspace for good. */
  async forget(tx: Tx, workspaceId: string): Promise<void> {
    await tx.query(forgetWorkspace, workspaceId);
  }
}

/** Spreads workspaces over cells evenly without shared state. UUIDv7 begins with the time, so all of it is hashed. */
function hashed(workspaceId: string): number {
  return createHash('sha256').update(workspaceId).digest().readUInt32BE(0);
}
