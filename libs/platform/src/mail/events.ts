import { hint } from '../events/hints';

/** A mail was put into the outbox: the delivery loop need not wait for its next round. */
export const mailQueued = hint<null>('mail.queued');
