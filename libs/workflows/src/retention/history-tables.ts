import type { Period } from './periods';

/** A table of history: partitioned by retention class, and below that by the id of the run. */
export interface HistoryTable {
  readonly name: 'workflow_runs' | 'workflow_node_runs' | 'workflow_run_events' | 'workflow_run_labels';
  /** The column with the run's id. */
  readonly id: 'id' | 'run_id';
  readonly fillfactor: number;
}

/** The tables whose partitions are made and dropped together. */
export const historyTables: readonly HistoryTable[] = [
  { name: 'workflow_runs', id: 'id', fillfactor: 85 },
  { name: 'workflow_node_runs', id: 'run_id', fillfactor: 95 },
  { name: 'workflow_run_events', id: 'run_id', fillfactor: 100 },
  { name: 'workflow_run_labels', id: 'run_id', fillfactor: 100 },
];

/** `workflow_runs_30d`: all runs that are kept for thirty days. */
export function classTable(table: HistoryTable, retentionDays: number): string {
  return `${table.name}_${retentionDays}d`;
}

/** `workflow_runs_30d_20261116`: those of them that began in the week of that Monday. */
export function periodTable(table: HistoryTable, retentionDays: number, { from }: Period): string {
  return `${classTable(table, retentionDays)}_${from.toISOString().slice(0, 10).replaceAll('-', '')}`;
}
