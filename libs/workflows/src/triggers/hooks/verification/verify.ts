import { createHmac } from 'node:crypto';
import { constantTimeEqual, sha256 } from '#platform';
import type { Verification } from '../../../nodes/webhook-params';
import {
  type RejectReason,
  type SignatureClaim,
  signatureClaim,
  type SignedRequest,
} from './signature-claim';
import { signingKey } from './signing-key';

/** What a call has proved, or why it is not let in. */
export type Verdict =
  | {
      readonly ok: true;
      /** Of all that was signed: the very same call has the very same one, whichever signature it shows. */
      readonly digestHex: string;
      /** For how long it could be sent again and pass. */
      readonly keepSeconds: number;
    }
  | { readonly ok: false; readonly reason: RejectReason };

/** The database's clock may be a little behind ours. */
const MARGIN_SECONDS = 60;
/** Senders that sign no timestamp: their calls could be sent again for ever, so they are known for as long as is sensible. */
const UNTIMED_SECONDS = 3 * 86_400;

/** Judges a call by the bytes that came, under any of the secrets. `nowMs` is when it came. */
export function verify(
  verification: Verification,
  request: SignedRequest,
  { secrets, nowMs }: { readonly secrets: readonly string[]; readonly nowMs: number },
): Verdict {
  const claim = signatureClaim(verification, request);
  if (typeof claim === 'string') return { ok: false, reason: claim };
  const { timestamp, hasId } = claim;
  // Without a body, an id or a timestamp there is one signature for all calls: it proves nothing about this one.
  if (timestamp === null && !hasId && request.body.length === 0)
    return { ok: false, reason: 'nothing_signed' };
  const nowSeconds = Math.floor(nowMs / 1_000);
  const tolerance = 'toleranceSeconds' in verification ? verification.toleranceSeconds : 0;
  if (timestamp !== null && Math.abs(nowSeconds - timestamp) > tolerance)
    return { ok: false, reason: 'bad_timestamp' };
  const keys = secrets.flatMap((secret) => signingKey(verification, secret) ?? []);
  if (keys.length === 0) return { ok: false, reason: 'no_secret' };
  const message = signedMessage(claim, request.body);
  // Each key and signature is compared, also behind a match: the time tells nothing.
  const matches = keys
    .map((key) => createHmac(claim.algorithm, key).update(message).digest())
    .flatMap((mac) => claim.signatures.map((signature) => constantTimeEqual(mac, signature)));
  if (!matches.includes(true)) return { ok: false, reason: 'bad_signature' };
  return {
    ok: true,
    digestHex: sha256(message).toString('hex'),
    keepSeconds: timestamp === null ? UNTIMED_SECONDS : timestamp + tolerance - nowSeconds + MARGIN_SECONDS,
  };
}

/** The bytes that the sender has signed. */
export function signedMessage(
  { before, after }: Pick<SignatureClaim, 'before' | 'after'>,
  body: Buffer,
): Buffer {
  return Buffer.concat([Buffer.from(before), body, Buffer.from(after)]);
}
