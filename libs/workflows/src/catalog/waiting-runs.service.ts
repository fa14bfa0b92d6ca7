import { Injectable } from '@nestjs/common';
import { AppError, Clock, Db, encodeCursor } from '#platform';
import { RunMigration } from '../engine/run-migration';
import { workflowErrors } from '../errors';
import type { Migrated } from './waiting-runs.dto';
import type { WorkflowVersionView } from './workflow-versions.dto';
import { WorkflowVersionsRepository } from './workflow-versions.repository';
import { existing } from './existing';
import { WorkflowsRepository } from './workflows.repository';

/** Batches of one request, so that its time is bounded. */
const ROUNDS = 25;

/** What becomes of runs that wait when a version is published: they stay with theirs, or go on with the new one. */
@Injectable()
export class WaitingRuns {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly workflows: WorkflowsRepository,
    private readonly versions: WorkflowVersionsRepository,
  ) {}

  /** Goes on with a migration to the published version. Throws workflow.version_not_published for any other. */
  async migrateTo(
    workspaceId: string,
    workflowId: string,
    { number, afterId }: { readonly number: number; readonly afterId: string | null },
  ): Promise<Migrated> {
    const target = await this.db.tenant(workspaceId, async (tx) => {
      const workflow = existing(await this.workflows.find(tx, workspaceId, workflowId));
      const version = await this.versions.findByNumber(tx, workspaceId, { workflowId, number });
      if (!version) {
        throw new AppError(workflowErrors.version_not_found, {
          detail: `The workflow has no version ${number}.`,
        });
      }
      if (workflow.publishedVersionId !== version.id || workflow.archivedAt !== null) {
        throw new AppError(workflowErrors.version_not_published, {
          detail: `Version ${number} is not the published one, and runs go on with no other.`,
        });
      }
      return version;
    });
    return this.migrate(workspaceId, target, afterId);
  }

  /** Lets runs that wait go on with a version where that is safe, and counts them. Safe to repeat. */
  async migrate(
    workspaceId: string,
    {
      id,
      workflowId,
      number,
      definition,
    }: Pick<WorkflowVersionView, 'id' | 'workflowId' | 'number' | 'definition'>,
    afterId: string | null,
  ): Promise<Migrated> {
    const cellId = await this.db.cellOf(workspaceId);
    const target = { workspaceId, workflowId, versionId: id, number, definition };
    const migration = new RunMigration({ db: this.db, clock: this.clock }, cellId, target);
    const counts = new Map<Migrated['stayed'][number]['reason'], number>();
    let migrated = 0;
    let last = afterId;
    for (let round = 0; round < ROUNDS; round += 1) {
      const batch = await migration.batch(last);
      migrated += batch.migrated;
      for (const reason of batch.stayed) counts.set(reason, (counts.get(reason) ?? 0) + 1);
      last = batch.lastId;
      if (last === null) break;
    }
    const stayed = [...counts].map(([reason, count]) => ({ reason, count }));
    return {
      migrated,
      stayed,
      more: last !== null,
      cursor: last === null ? null : encodeCursor({ id: last }),
    };
  }
}
