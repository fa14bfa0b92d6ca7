import { Counter, Histogram } from 'prom-client';

/** What the loops of this process have done, by loop name. Registered once per process, in the default registry. */
export const loopMetrics = {
  rounds: new Counter({
    name: 'millrace_loop_rounds_total',
    help: 'Rounds a background loop has finished, failed ones included.',
    labelNames: ['loop'] as const,
  }),
  errors: new Counter({
    name: 'millrace_loop_errors_total',
    help: 'Rounds of a background loop that failed.',
    labelNames: ['loop'] as const,
  }),
  rows: new Counter({
    name: 'millrace_loop_rows_total',
    help: 'Rows a background loop has worked on.',
    labelNames: ['loop'] as const,
  }),
  seconds: new Histogram({
    name: 'millrace_loop_duration_seconds',
    help: 'How long a round of a background loop took.',
    labelNames: ['loop'] as const,
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
  }),
} as const;
