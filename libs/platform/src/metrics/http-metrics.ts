import { Histogram } from 'prom-client';

/** What HTTP requests cost. Labelled by route template, so ids in paths do not become time series. */
export const httpMetrics = {
  seconds: new Histogram({
    name: 'millrace_http_request_duration_seconds',
    help: 'Time from the request line to the end of the answer; event streams are left out.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  }),
} as const;
