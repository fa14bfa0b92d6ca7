import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config, constantTimeEqual, isUuid, Keys, publicUrlOf } from '#platform';

/** A node of a run that waits for a call. */
export interface CallbackAddress {
  readonly workspaceId: string;
  readonly runId: string;
  readonly nodeId: string;
  readonly iteration: string;
}

const MAC_BYTES = 16;
const TOKEN = /^[A-Za-z0-9_-]{60,400}$/;

/**
 * The addresses at which waiting nodes are called. A token says which node of which run it is, with a mac under a key
 * derived from the installation's secret: nothing of it is stored, and it is known before the node begins to wait, so
 * that an earlier node can send it to whoever is to call.
 */
@Injectable()
export class CallbackUrls {
  readonly #key: Buffer;
  readonly #publicUrl: string;

  constructor(keys: Keys, config: Config) {
    this.#key = keys.derive('callback');
    this.#publicUrl = publicUrlOf(config);
  }

  /** The address to give to a caller; whoever has it may answer the node, once. */
  urlOf(address: CallbackAddress): string {
    return `${this.#publicUrl}/resume/${this.tokenOf(address)}`;
  }

  tokenOf(address: CallbackAddress): string {
    const said = bytesOf(address);
    return Buffer.concat([this.#macOf(said), said]).toString('base64url');
  }

  /** The node that a token stands for; null when it was not made here. Constant time in the mac. */
  addressOf(token: string): CallbackAddress | null {
    if (!TOKEN.test(token)) return null;
    const bytes = Buffer.from(token, 'base64url');
    // Each token has one spelling: spare bits at the end of base64 would be others.
    if (bytes.toString('base64url') !== token) return null;
    const said = bytes.subarray(MAC_BYTES);
    if (!constantTimeEqual(bytes.subarray(0, MAC_BYTES), this.#macOf(said))) return null;
    const [workspaceId, runId, nodeId, iteration] = said.toString('utf8').split(' ');
    if (!workspaceId || !runId || !nodeId || iteration === undefined) return null;
    return isUuid(workspaceId) && isUuid(runId) ? { workspaceId, runId, nodeId, iteration } : null;
  }

  #macOf(said: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(said).digest().subarray(0, MAC_BYTES);
  }
}

/** Ids hold no spaces, and neither do the names of nodes. */
function bytesOf({ workspaceId, runId, nodeId, iteration }: CallbackAddress): Buffer {
  return Buffer.from([workspaceId, runId, nodeId, iteration].join(' '));
}
