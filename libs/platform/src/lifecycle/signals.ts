import type { EventEmitter } from 'node:events';
import type { Lifecycle } from './lifecycle';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Exit code of a process that a second signal made leave before it was drained. */
const INTERRUPTED = 130;

/**
 * Drains on the first SIGTERM or SIGINT and exits with 0; a second signal exits at once. Returns the way to take the
 * handlers off again. `source` is the process, unless a test says otherwise.
 */
export function installSignalHandlers(
  lifecycle: Lifecycle,
  exit: (code: number) => void,
  source: EventEmitter = process,
): () => void {
  let asked = false;
  const onSignal = (): void => {
    if (asked) {
      exit(INTERRUPTED);
      return;
    }
    asked = true;
    void lifecycle.drain().then(() => exit(0));
  };
  for (const signal of SIGNALS) source.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) source.off(signal, onSignal);
  };
}
