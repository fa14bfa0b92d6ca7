import type { CustomVerification, Verification } from '../../../nodes/webhook-params';

/** Why a call is not let in. The sender is told none of it; members are. */
export type RejectReason =
  | 'bad_credentials'
  | 'no_secret'
  | 'no_signature'
  | 'bad_signature'
  | 'bad_timestamp'
  | 'nothing_signed';

/** A call as it came: verification looks at nothing that was parsed. */
export interface SignedRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What a call says of itself. Nothing of it is proved yet. */
export interface SignatureClaim {
  /** Each as bytes; one that matches is enough. */
  readonly signatures: readonly Buffer[];
  /** Seconds since 1970; null when the sender signs none. */
  readonly timestamp: number | null;
  /** Whether the sender signs an id of its own for each call. */
  readonly hasId: boolean;
  readonly algorithm: 'sha256' | 'sha512' | 'sha1';
  /** What stands before and after the body in what is signed. */
  readonly before: string;
  readonly after: string;
}

/** More are not looked at: each costs a comparison with every secret. */
const MAX_SIGNATURES = 16;
/** Eleven digits are seconds until the year 5138: milliseconds have thirteen, and are no timestamp. */
const TIMESTAMP = /^\d{1,11}$/;
const HEX = /^[0-9a-f]+$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const MAX_ID_CHARS = 256;

/** Reads what a call says of itself, as its sender's way of signing has it. */
export function signatureClaim(
  verification: Verification,
  { headers }: Pick<SignedRequest, 'headers'>,
): SignatureClaim | RejectReason {
  const one = (name: string) => headerOf(headers, name);
  switch (verification.preset) {
    case 'github':
      return claim([hexBehind('sha256=', one('x-hub-signature-256'))], { timestamp: null });
    case 'stripe':
      return stripeClaim(one('stripe-signature'));
    case 'slack': {
      const timestamp = one('x-slack-request-timestamp');
      return timed(timestamp, (seconds) =>
        claim([hexBehind('v0=', one('x-slack-signature'))], {
          timestamp: seconds,
          before: `v0:${timestamp}:`,
        }),
      );
    }
    case 'standard':
      return standardClaim(one('webhook-id'), one('webhook-timestamp'), one('webhook-signature'));
    case 'custom':
      return customClaim(verification, one);
    default:
      return verification satisfies never;
  }
}

function stripeClaim(header: string | null): SignatureClaim | RejectReason {
  const pairs = (header ?? '').split(',').map((pair) => pair.trim().split('=', 2));
  const times = pairs.filter(([name]) => name === 't').map(([, value]) => value ?? '');
  if (header === null) return 'no_signature';
  if (times.length !== 1) return 'bad_timestamp';
  const signatures = pairs.filter(([name]) => name === 'v1').map(([, value]) => hexOf(value ?? ''));
  return timed(times[0] ?? null, (timestamp) => claim(signatures, { timestamp, before: `${times[0]}.` }));
}

function standardClaim(
  id: string | null,
  timestamp: string | null,
  signature: string | null,
): SignatureClaim | RejectReason {
  if (id === null || id === '' || id.length > MAX_ID_CHARS || signature === null) return 'no_signature';
  const signatures = signature
    .split(' ')
    .map((part) => (part.startsWith('v1,') ? base64Of(part.slice('v1,'.length)) : null));
  return timed(timestamp, (seconds) =>
    claim(signatures, { timestamp: seconds, hasId: true, before: `${id}.${timestamp}.` }),
  );
}

function customClaim(
  { header, prefix, encoding, algorithm, timestampHeader, idHeader, signed }: CustomVerification,
  one: (name: string) => string | null,
): SignatureClaim | RejectReason {
  const given = one(header);
  if (given === null || !given.startsWith(prefix)) return 'no_signature';
  const text = given.slice(prefix.length);
  const signature = encoding === 'hex' ? hexOf(text) : base64Of(text);
  const id = idHeader === undefined ? '' : one(idHeader);
  if (id === null || (idHeader !== undefined && (id === '' || id.length > MAX_ID_CHARS)))
    return 'no_signature';
  const timestamp = timestampHeader === undefined ? '' : one(timestampHeader);
  const [before = '', after = ''] = signed
    .split('{body}')
    .map((part) =>
      part.replaceAll(/\{(timestamp|id)\}/g, (_, name) => (name === 'id' ? id : (timestamp ?? ''))),
    );
  const signing = { before, after, algorithm, hasId: idHeader !== undefined };
  if (timestampHeader === undefined) return claim([signature], { ...signing, timestamp: null });
  return timed(timestamp, (seconds) => claim([signature], { ...signing, timestamp: seconds }));
}

function claim(
  signatures: readonly (Buffer | null)[],
  rest: Pick<SignatureClaim, 'timestamp'> & Partial<SignatureClaim>,
): SignatureClaim | RejectReason {
  const read = signatures.slice(0, MAX_SIGNATURES).flatMap((signature) => signature ?? []);
  if (read.length === 0) return 'no_signature';
  return { hasId: false, algorithm: 'sha256', before: '', after: '', ...rest, signatures: read };
}

function timed(
  text: string | null,
  read: (seconds: number) => SignatureClaim | RejectReason,
): SignatureClaim | RejectReason {
  return text !== null && TIMESTAMP.test(text) ? read(Number(text)) : 'bad_timestamp';
}

/** A header that comes twice is joined by Node, and then says nothing that any of these senders says. */
function headerOf(headers: SignedRequest['headers'], name: string): string | null {
  const value = headers[name];
  return value === undefined ? null : [value].flat().join(', ').trim();
}

function hexBehind(prefix: string, text: string | null): Buffer | null {
  return text?.startsWith(prefix) ? hexOf(text.slice(prefix.length)) : null;
}

function hexOf(text: string): Buffer | null {
  return HEX.test(text) && text.length % 2 === 0 ? Buffer.from(text, 'hex') : null;
}

function base64Of(text: string): Buffer | null {
  return BASE64.test(text) ? Buffer.from(text, 'base64') : null;
}
