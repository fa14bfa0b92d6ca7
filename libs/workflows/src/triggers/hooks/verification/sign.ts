import { createHmac } from 'node:crypto';
import type { CustomVerification, Verification } from '../../../nodes/webhook-params';
import { signingKey } from './signing-key';
import { signedMessage } from './verify';

/** A call that is to be signed as its sender would. */
export interface Signing {
  readonly secret: string;
  readonly body: Buffer;
  readonly id: string;
  readonly seconds: number;
}

/** The headers by which a sender of that kind signs a call; null when the secret is none of its kind. */
export function signedHeaders(
  verification: Verification,
  { secret, body, id, seconds }: Signing,
): Readonly<Record<string, string>> | null {
  const key = signingKey(verification, secret);
  if (!key) return null;
  const mac = (before: string, after = '', algorithm = 'sha256') =>
    createHmac(algorithm, key).update(signedMessage({ before, after }, body)).digest();
  switch (verification.preset) {
    case 'github':
      return { 'x-github-delivery': id, 'x-hub-signature-256': `sha256=${mac('').toString('hex')}` };
    case 'stripe':
      return { 'stripe-signature': `t=${seconds},v1=${mac(`${seconds}.`).toString('hex')}` };
    case 'slack':
      return {
        'x-slack-request-timestamp': String(seconds),
        'x-slack-signature': `v0=${mac(`v0:${seconds}:`).toString('hex')}`,
      };
    case 'standard':
      return {
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        'webhook-signature': `v1,${mac(`${id}.${seconds}.`).toString('base64')}`,
      };
    case 'custom':
      return customHeaders(verification, { id, seconds, mac });
    default:
      return verification satisfies never;
  }
}

function customHeaders(
  { header, prefix, algorithm, encoding, signed, timestampHeader, idHeader }: CustomVerification,
  {
    id,
    seconds,
    mac,
  }: {
    readonly id: string;
    readonly seconds: number;
    readonly mac: (before: string, after: string, algorithm: string) => Buffer;
  },
): Readonly<Record<string, string>> {
  const [before = '', after = ''] = signed
    .split('{body}')
    .map((part) => part.replaceAll('{timestamp}', String(seconds)).replaceAll('{id}', id));
  return {
    ...(timestampHeader !== undefined && { [timestampHeader]: String(seconds) }),
    ...(idHeader !== undefined && { [idHeader]: id }),
    [header]: prefix + mac(before, after, algorithm).toString(encoding),
  };
}
