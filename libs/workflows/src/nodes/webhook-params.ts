import { z } from 'zod';
import { HEADER_NAME } from '../egress/request-headers';

/** The most that any webhook takes. */
export const MAX_HOOK_BODY_BYTES = 1024 * 1024;
const USUAL_BODY_BYTES = 256 * 1024;

const headerName = z
  .string()
  .max(100)
  .regex(HEADER_NAME, { error: 'must be the name of a header' })
  .transform((name) => name.toLowerCase());

const toleranceSeconds = z
  .int()
  .min(60)
  .max(3_600)
  .default(300)
  .describe('How old, or how far ahead, the timestamp of a call may be.');

const PLACEHOLDER = /\{(timestamp|id|body)\}/g;

const custom = z
  .strictObject({
    preset: z.literal('custom'),
    header: headerName.describe('Where the signature is.'),
    prefix: z.string().max(50).default('').describe('What stands before the signature, as `sha256=`.'),
    algorithm: z.enum(['sha256', 'sha512', 'sha1']).default('sha256'),
    encoding: z.enum(['hex', 'base64']).default('hex'),
    secretEncoding: z.enum(['utf8', 'hex', 'base64']).default('utf8'),
    timestampHeader: headerName.optional().describe('Seconds since 1970.'),
    idHeader: headerName.optional(),
    signed: z
      .string()
      .max(200)
      .default('{body}')
      .describe('What is signed: {body} once, and as the sender does it {timestamp} and {id}.'),
    toleranceSeconds,
  })
  .superRefine(({ signed, timestampHeader, idHeader }, context) => {
    const report = (message: string) => context.addIssue({ code: 'custom', path: ['signed'], message });
    const names = [...signed.matchAll(PLACEHOLDER)].map(([, name]) => name);
    if (names.filter((name) => name === 'body').length !== 1) report('must hold {body} once');
    // A timestamp or an id that is not signed proves nothing: anybody could put another in its place.
    if (names.includes('timestamp') !== (timestampHeader !== undefined))
      report('must hold {timestamp} if, and only if, timestampHeader says where it is');
    if (names.includes('id') !== (idHeader !== undefined))
      report('must hold {id} if, and only if, idHeader says where it is');
  });

const verification = z.discriminatedUnion('preset', [
  z.strictObject({ preset: z.literal('github') }),
  z.strictObject({ preset: z.literal('stripe'), toleranceSeconds }),
  z.strictObject({ preset: z.literal('slack'), toleranceSeconds }),
  z.strictObject({ preset: z.literal('standard'), toleranceSeconds }),
  custom,
]);

const auth = z.discriminatedUnion('scheme', [
  z.strictObject({
    scheme: z.literal('basic'),
    username: z
      .string()
      .min(1)
      .max(200)
      .regex(/^[^:\p{Cc}]+$/u),
  }),
  z.strictObject({ scheme: z.literal('bearer') }),
]);

const windowSeconds = z
  .int()
  .min(1)
  .max(7 * 86_400)
  .default(86_400)
  .describe('For how long a delivery is known.');

const dedupe = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('header'), header: headerName, windowSeconds }),
  z.strictObject({
    by: z.literal('expression'),
    expression: z.string().min(1).max(2_000).describe('As `{{ trigger.body.id }}`.'),
    windowSeconds,
  }),
  z.strictObject({ by: z.literal('body'), windowSeconds }),
  z.strictObject({ by: z.literal('none') }),
]);

const respond = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('now') }),
  z.strictObject({
    mode: z.literal('wait'),
    timeoutSeconds: z.int().min(1).max(120).default(30),
  }),
]);

/** How a webhook takes calls. Secrets are not part of it: they are set by a route of their own. */
export const webhookParams = z.strictObject({
  methods: z
    .array(z.enum(['POST', 'PUT', 'GET']))
    .min(1)
    .max(3)
    .refine((methods) => new Set(methods).size === methods.length, { error: 'must not repeat a method' })
    .default(['POST'])
    .describe('With which methods a call starts a run.'),
  verification: verification.optional().describe('How the sender signs its calls.'),
  auth: auth.optional().describe('What the sender shows beside the address.'),
  dedupe: dedupe
    .optional()
    .describe(
      'By what a delivery that comes again is known. Without it by the id that a sender of this preset gives its deliveries; `none` for by nothing.',
    ),
  respond: respond.default({ mode: 'now' }).describe('Whether the answer waits for a respond node.'),
  maxBodyBytes: z.int().min(1).max(MAX_HOOK_BODY_BYTES).default(USUAL_BODY_BYTES),
  challenge: z
    .enum(['hub', 'graph'])
    .optional()
    .describe('How the sender asks whether the address is ours: `hub.challenge`, or `validationToken`.'),
});

export type WebhookParams = z.output<typeof webhookParams>;
export type Verification = NonNullable<WebhookParams['verification']>;
export type CustomVerification = Extract<Verification, { readonly preset: 'custom' }>;
export type Dedupe = Exclude<NonNullable<WebhookParams['dedupe']>, { readonly by: 'none' }>;
export type HookAuth = NonNullable<WebhookParams['auth']>;

/** Senders retry for hours, some for days. */
const USUAL_WINDOW_SECONDS = 3 * 86_400;

/** The id that a sender gives a delivery, which it keeps when it signs the delivery anew to send it again. */
const USUAL_DEDUPE: Readonly<Record<Verification['preset'], Dedupe | null>> = {
  github: { by: 'header', header: 'x-github-delivery', windowSeconds: USUAL_WINDOW_SECONDS },
  stripe: { by: 'expression', expression: '{{ trigger.body.id }}', windowSeconds: USUAL_WINDOW_SECONDS },
  slack: { by: 'expression', expression: '{{ trigger.body.event_id }}', windowSeconds: USUAL_WINDOW_SECONDS },
  standard: { by: 'header', header: 'webhook-id', windowSeconds: USUAL_WINDOW_SECONDS },
  custom: null,
};

/** By what deliveries are known again: as the author says, else as the sender's preset has it. Null for by nothing. */
export function dedupeOf({ dedupe: given, verification: by }: WebhookParams): Dedupe | null {
  if (given) return given.by === 'none' ? null : given;
  return by ? USUAL_DEDUPE[by.preset] : null;
}
