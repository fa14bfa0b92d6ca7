import type { StartRequest } from '../../engine/run-starter';
import type { DeliverySource } from './hook-deliveries.sql';

/** What has come to a hook, was found good, and is to be stored with the run that it leads to. */
export interface Arrival {
  readonly id: string;
  readonly workspaceId: string;
  readonly hookId: string;
  readonly workflowId: string;
  readonly source: DeliverySource;
  readonly replayOf: string | null;
  /** Who delivered, when it was not the sender. */
  readonly by: string | null;
  readonly method: string;
  /** JSON texts, without credentials. */
  readonly headers: string;
  readonly query: string;
  readonly body: Buffer;
  /** The run that it asks for, or why it cannot be asked for. */
  readonly start: StartRequest | { readonly reason: string };
  /** What it has signed, in hexadecimal, and for how long that could be sent again; null when it signed nothing. */
  readonly signature: { readonly digestHex: string; readonly keepSeconds: number } | null;
}
