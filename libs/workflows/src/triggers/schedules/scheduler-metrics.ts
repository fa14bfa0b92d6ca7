import { Counter, Histogram } from 'prom-client';

/** What operators watch of schedules. Registered once per process, in the default registry. */
export const schedulerMetrics = {
  fires: new Counter({
    name: 'millrace_schedule_fires_total',
    help: 'Occurrences of schedules, by what became of them.',
    labelNames: ['outcome'] as const,
  }),
  lateness: new Histogram({
    name: 'millrace_schedule_lateness_seconds',
    help: 'From the time of an occurrence, its jitter included, to the transaction that started its run.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600],
  }),
} as const;
