import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config, constantTimeEqual, Keys, publicUrlOf } from '#platform';

/** What a token is derived from. Raising the generation makes another token. */
export interface HookIdentity {
  readonly workspaceId: string;
  readonly hookId: string;
  readonly generation: number;
}

/** A token taken apart. It proves nothing until `verify` has compared its mac. */
export interface ParsedHookToken {
  readonly workspaceId: string;
  readonly hookId: string;
  readonly mac: Buffer;
}

const ID_BYTES = 16;
const MAC_BYTES = 16;
/** 48 bytes are 64 characters exactly: no padding, no spare bits, so each token has one spelling. */
const TOKEN = /^[A-Za-z0-9_-]{64}$/;

/**
 * The addresses of webhooks. A token is the ids of workspace and hook with a mac over the hook and its generation,
 * under a key derived from the installation's secret. The database holds no part of the mac, so whoever reads the
 * database can call no webhook, and no lookup by secret is needed to find the hook.
 */
@Injectable()
export class HookUrls {
  readonly #key: Buffer;
  readonly #publicUrl: string;

  constructor(keys: Keys, config: Config) {
    this.#key = keys.derive('hook');
    this.#publicUrl = publicUrlOf(config);
  }

  /** The address to give to a caller; it is a secret. */
  urlOf(hook: HookIdentity): string {
    return `${this.#publicUrl}/hooks/${this.tokenOf(hook)}`;
  }

  /** The secret part of the address: 64 characters that are safe in a URL. */
  tokenOf({ workspaceId, hookId, generation }: HookIdentity): string {
    const mac = this.#macOf(hookId, generation);
    return Buffer.concat([bytesOf(workspaceId), bytesOf(hookId), mac]).toString('base64url');
  }

  /** Takes a token apart, or gives null for what can not be one. Trusts nothing: call `verify` with the stored generation. */
  parse(token: string): ParsedHookToken | null {
    if (!TOKEN.test(token)) return null;
    const bytes = Buffer.from(token, 'base64url');
    return {
      workspaceId: uuidOf(bytes.subarray(0, ID_BYTES)),
      hookId: uuidOf(bytes.subarray(ID_BYTES, 2 * ID_BYTES)),
      mac: bytes.subarray(2 * ID_BYTES),
    };
  }

  /**
   * How many generations after this one the token was made: 0 for this one, 1 for the next, -1 for the one before; null
   * when it is none of these. Constant time in the mac.
   */
  distance(parsed: ParsedHookToken, generation: number): -1 | 0 | 1 | null {
    if (this.verify(parsed, generation)) return 0;
    // Only the product can make one, so another process has rotated the address since the generation was looked up.
    if (this.verify(parsed, generation + 1)) return 1;
    return generation > 1 && this.verify(parsed, generation - 1) ? -1 : null;
  }

  /** Whether the token was made here for this generation of the hook. Constant time in the mac. */
  verify({ hookId, mac }: ParsedHookToken, generation: number): boolean {
    return constantTimeEqual(mac, this.#macOf(hookId, generation));
  }

  #macOf(hookId: string, generation: number): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(generation);
    return createHmac('sha256', this.#key)
      .update(bytesOf(hookId))
      .update(counter)
      .digest()
      .subarray(0, MAC_BYTES);
  }
}

function bytesOf(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
