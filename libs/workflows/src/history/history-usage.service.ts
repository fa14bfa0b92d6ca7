import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock, Db, statement } from '#platform';
import { RunLimits } from '../ports';

/**
 * Purpose: what a workspace's history takes up, and its oldest run that is kept and over.
 * Index: workspace_history_pkey; workflow_runs_workspace_id_id_idx, at most a hundred rows. Rows: one.
 */
export const findHistoryUsage = statement<
  [workspaceId: string, now: Date | null],
  { readonly runs: string; readonly bytes: string; readonly oldest: Date | null }
>(
  'find-history-usage',
  `select coalesce(sum(runs), 0)::text as runs, coalesce(sum(bytes), 0)::text as bytes,
          (select r.created_at
             from (select * from workflow_runs where workspace_id = $1::uuid order by id limit 100) r
            where r.finished_at >= coalesce($2::timestamptz, now()) - make_interval(days => r.retention_days)
            order by r.id limit 1) as oldest
     from workspace_history where workspace_id = $1::uuid`,
);

export const historyUsage = z
  .object({
    runs: z.number().int().describe('Runs that have begun and are kept.'),
    bytes: z
      .number()
      .int()
      .describe('Of the JSON of their inputs, outputs, errors and events; some seconds behind.'),
    budgetBytes: z
      .number()
      .int()
      .nullable()
      .describe('Beyond it the oldest finished runs go. Null: no budget.'),
    retentionDays: z.number().int().describe('For how long runs that start now are kept once they are over.'),
    oldestKeptAt: z.iso
      .datetime()
      .nullable()
      .describe('When the oldest finished run that is kept was created; null when none is found.'),
  })
  .meta({ id: 'HistoryUsage' });

export type HistoryUsage = z.output<typeof historyUsage>;

/** Tells what the history of a workspace takes up. */
@Injectable()
export class HistoryUsages {
  constructor(
    private readonly db: Db,
    private readonly clock: Clock,
    private readonly limits: RunLimits,
  ) {}

  async of(workspaceId: string): Promise<HistoryUsage> {
    const limits = (await this.limits.of([workspaceId])).get(workspaceId);
    const [usage] = await this.db.tenant(workspaceId, (tx) =>
      tx.query(findHistoryUsage, workspaceId, this.clock.pinned()),
    );
    return {
      runs: Number(usage?.runs ?? 0),
      bytes: Number(usage?.bytes ?? 0),
      budgetBytes: limits?.historyBytes ?? null,
      retentionDays: limits?.retentionDays ?? Math.min(...this.limits.retentionClasses()),
      oldestKeptAt: usage?.oldest?.toISOString() ?? null,
    };
  }
}
