import { parentPort } from 'node:worker_threads';
import { type GuestJob, Guests } from './guest';

/**
 * The script of a sandbox thread: one execution after the other, as they are asked for. It loads the engine and little
 * else, and holds nothing between two executions.
 */
function serve(): void {
  if (parentPort === null) throw new Error('This script is for worker threads.');
  const port = parentPort;
  // The engine prints when it breaks. That is told as an outcome; reading its output apart would keep the process alive.
  for (const method of ['log', 'error'] as const) console[method] = () => undefined;
  // What the engine asks its host about local time is answered in UTC, wherever the host stands.
  Date.prototype.getTimezoneOffset = () => 0;
  // oxlint-disable-next-line house/injected-time -- platform's clock would bring all of platform into each thread
  const guests = new Guests(() => performance.now());
  port.on('message', (job: GuestJob) => {
    void guests.execute(job).then((outcome) => port.postMessage({ kind: 'outcome', outcome }));
  });
  port.postMessage({ kind: 'ready' });
}

serve();
