import { collectDefaultMetrics, register } from 'prom-client';

/** Measures the process itself (memory, CPU, event loop, garbage collection), once however many applications it boots. */
export function startDefaultMetrics(): void {
  if (register.getSingleMetric('process_cpu_user_seconds_total')) return;
  collectDefaultMetrics();
}
