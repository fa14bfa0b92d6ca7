import { Counter } from 'prom-client';

/** What history has lost in this process. Registered once per process, in the default registry. */
export const historyMetrics = {
  removed: new Counter({
    name: 'millrace_history_runs_removed_total',
    help: 'Finished runs that were removed from history: their time was over, or their workspace beyond its storage budget.',
    labelNames: ['reason'] as const,
  }),
  partitionsDropped: new Counter({
    name: 'millrace_history_partitions_dropped_total',
    help: 'Periods of a retention class whose tables were dropped.',
  }),
} as const;
