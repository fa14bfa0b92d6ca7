import { Counter, Gauge } from 'prom-client';

/** What operators watch of webhooks. Registered once per process, in the default registry. */
export const hookMetrics = {
  deliveries: new Counter({
    name: 'millrace_hook_deliveries_total',
    help: 'Deliveries to webhooks by what became of them; rejected ones also where none was noted.',
    labelNames: ['state'] as const,
  }),
  waiting: new Gauge({
    name: 'millrace_hook_callers_waiting',
    help: 'Callers of webhooks that wait for what their runs answer.',
  }),
} as const;
