import { statement } from '#platform';

/** Purpose: tells other processes once the transaction is committed. One per batch, never one per run. */
export const notify = statement<[channel: string, payload: string], unknown>(
  'notify',
  'select pg_notify($1, $2)',
);
