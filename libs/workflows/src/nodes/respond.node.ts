import { z } from 'zod';
import type { JsonObject, JsonValue } from '../definition/json';
import { HEADER_NAME, HEADER_VALUE } from '../egress/request-headers';
import type { NodeKind } from './node-kind';
import { jsonValue } from './param-schemas';

export interface RespondParams {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: JsonValue | undefined;
}

const MAX_HEADERS = 50;
const MAX_NAME_CHARS = 100;
/** Of all names and values together: clients and proxies refuse much more. */
const MAX_HEADER_CHARS = 16_384;

/** Frame the message, steer the connection, or say how the body is coded: the server's own business. */
const MESSAGE_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Bind a browser beyond this one answer. The address belongs to everybody whose workflows answer here and to the product
 * itself, so no workflow may set its cookies or its rules.
 */
const ORIGIN_HEADERS: ReadonlySet<string> = new Set([
  'alt-svc',
  'clear-site-data',
  'nel',
  'public-key-pins',
  'public-key-pins-report-only',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'set-cookie',
  'set-cookie2',
  'strict-transport-security',
]);

/** RFC 9110: an answer with one of these ends with its headers. */
const BODILESS_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

const headers = z.record(z.string(), z.string()).superRefine((given, context) => {
  const pairs = Object.entries(given);
  const report = (message: string, path: string[] = []) =>
    context.addIssue({ code: 'custom', path, message });
  if (pairs.length > MAX_HEADERS) report(`must have at most ${MAX_HEADERS} headers`);
  const chars = pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (chars > MAX_HEADER_CHARS) report(`must have at most ${MAX_HEADER_CHARS} characters in all`);
  const seen = new Set<string>();
  for (const [name, value] of pairs) {
    const fault = faultOf(name, value, seen);
    if (fault !== null) report(fault, [name]);
    seen.add(name.toLowerCase());
  }
});

const params = z
  .strictObject({
    status: z.int().min(200).max(599).default(200),
    headers: headers.default({}),
    body: jsonValue.optional().describe('Text is sent as it is, anything else as JSON.'),
  })
  .refine(({ status, body }) => body === undefined || !BODILESS_STATUSES.has(status), {
    message: 'must be left out: 204, 205 and 304 are answers without a body',
    path: ['body'],
  });

/** Says what a caller who waits for the run is answered. Its output is that answer. */
export const respondNode: NodeKind<RespondParams> = {
  type: 'respond',
  title: 'Respond',
  description: 'Gives the answer for a caller who waits: status, headers and body.',
  role: 'action',
  purity: 'pure',
  params,
  ports: () => ['out'],
  execute: ({ params: answer }) => ({ kind: 'done', output: outputOf(answer), responds: true }),
};

function outputOf({ status, headers: pairs, body }: RespondParams): JsonObject {
  return { status, headers: pairs, ...(body !== undefined && { body }) };
}

/** What is wrong with a header, never with its value in it; null when nothing is. */
function faultOf(name: string, value: string, seen: ReadonlySet<string>): string | null {
  const lower = name.toLowerCase();
  if (!HEADER_NAME.test(name) || name.length > MAX_NAME_CHARS) {
    return `must be a header's name: up to ${MAX_NAME_CHARS} letters, digits and hyphens`;
  }
  if (MESSAGE_HEADERS.has(lower)) return 'must be left out: the server sets this header itself';
  if (ORIGIN_HEADERS.has(lower)) {
    return 'must be left out: it would hold for the whole site, which is not this workflow’s alone';
  }
  if (seen.has(lower)) return 'is there twice: the case of letters makes no difference';
  if (!HEADER_VALUE.test(value)) {
    return 'must have no line break, no control character and no character outside Latin-1';
  }
  return null;
}
