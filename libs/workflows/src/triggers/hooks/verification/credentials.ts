import { constantTimeEqual } from '#platform';
import type { HookAuth } from '../../../nodes/webhook-params';
import type { RejectReason, SignedRequest } from './signature-claim';

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Why the sender's name and password, or token, are not let in; null when they are. */
export function refusedCredentials(
  auth: HookAuth,
  { headers }: Pick<SignedRequest, 'headers'>,
  secrets: readonly string[],
): RejectReason | null {
  if (secrets.length === 0) return 'no_secret';
  const shown = shownCredentials(auth, headers['authorization']);
  const matches = secrets.map((secret) => constantTimeEqual(shown ?? '', expected(auth, secret)));
  return shown !== null && matches.includes(true) ? null : 'bad_credentials';
}

/** The header that a sender who knows the secret sends. */
export function authorizationOf(auth: HookAuth, secret: string): string {
  const text = expected(auth, secret);
  return auth.scheme === 'basic' ? `Basic ${Buffer.from(text).toString('base64')}` : `Bearer ${text}`;
}

function expected(auth: HookAuth, secret: string): string {
  return auth.scheme === 'basic' ? `${auth.username}:${secret}` : secret;
}

function shownCredentials({ scheme }: HookAuth, header: string | string[] | undefined): string | null {
  if (typeof header !== 'string') return null;
  const [, name, value = ''] = /^(\w+) +(\S+)$/.exec(header.trim()) ?? [];
  if (name?.toLowerCase() !== scheme) return null;
  if (scheme === 'bearer') return value;
  return BASE64.test(value) ? Buffer.from(value, 'base64').toString('utf8') : null;
}
