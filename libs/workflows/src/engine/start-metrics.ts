import { Counter } from 'prom-client';

/** What operators watch of starts. Registered once per process, in the default registry. */
export const startMetrics = {
  runaway: new Counter({
    name: 'millrace_run_starts_runaway_total',
    help: 'Starts refused because a workflow or workspace started too many runs in a short time.',
    labelNames: ['scope'] as const,
  }),
} as const;
