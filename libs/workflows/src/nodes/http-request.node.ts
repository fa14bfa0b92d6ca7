import { z } from 'zod';
import type { JsonObject, JsonValue } from '../definition/json';
import type { EgressHeaders, EgressRequest, EgressResponse, EgressResult } from '../egress/egress-result';
import type { EgressFailureCode } from '../egress/fault';
import type { EgressClient } from '../egress/guarded-client';
import { type HeaderPair, withDefaults } from '../egress/request-headers';
import { responseContent, storableText } from '../egress/response-content';
import { retryAfterSeconds } from '../egress/retry-after';
import { authorizationOf, authSchema } from './http-auth';
import type { NodeError, NodeExecution, NodeKind, NodeOutcome } from './node-kind';
import type { OutputMask } from './output-mask';

const MAX_TIMEOUT_SECONDS = 300;
const DEFAULT_RESPONSE_BYTES = 1024 * 1024;
const MAX_RESPONSE_BYTES = 5 * 1024 * 1024;
/** Enough of a failed answer to see what the server complains about. */
const SHOWN_BODY_CHARS = 2_000;
/** Longer URLs are refused by most servers anyway. */
const MAX_URL_CHARS = 8_192;
const MAX_JSON_DEPTH = 100;

const scalarSchema = z.union([z.string(), z.number(), z.boolean()]);

const bodySchema = z.union([
  z.strictObject({
    json: z
      .unknown()
      .refine((value) => value !== undefined, 'Give the JSON value to send.')
      .refine((value) => !isDeeperThan(value, MAX_JSON_DEPTH), 'Nest JSON at most 100 levels deep.')
      .describe('Sent as application/json.'),
  }),
  z.strictObject({
    text: z.string().describe('Sent as it is, in UTF-8.'),
    contentType: z.string().min(1).optional().describe('Default text/plain; charset=utf-8.'),
  }),
  z.strictObject({
    form: z.record(z.string(), scalarSchema).describe('Sent as application/x-www-form-urlencoded.'),
  }),
]);

const paramsSchema = z
  .strictObject({
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']).default('GET'),
    url: z.string().min(1).max(MAX_URL_CHARS).describe('An http or https URL on the public Internet.'),
    query: z.record(z.string(), scalarSchema).default({}).describe('Appended to the query of the URL.'),
    headers: z.record(z.string(), z.string()).default({}),
    auth: authSchema.optional(),
    body: bodySchema.optional(),
    timeoutSeconds: z.number().positive().max(MAX_TIMEOUT_SECONDS).default(30),
    followRedirects: z.boolean().default(true),
    maxResponseBytes: z.int().min(1).max(MAX_RESPONSE_BYTES).default(DEFAULT_RESPONSE_BYTES),
    successStatuses: z
      .array(z.union([z.int().min(200).max(599), z.enum(['2xx', '3xx', '4xx', '5xx'])]))
      .min(1)
      .default(['2xx'])
      .describe('Every other status fails the node.'),
  })
  .refine(({ method, body }) => body === undefined || (method !== 'GET' && method !== 'HEAD'), {
    // Servers that ignore such a body read it as the next request on the connection.
    message: 'GET and HEAD carry no body; use POST, or put the values into the query.',
    path: ['body'],
  })
  .refine(({ auth, headers }) => auth === undefined || !hasAuthorization(headers), {
    message: 'Say it once: either auth, or a header Authorization.',
    path: ['auth'],
  });

/** What an `http.request` node is told, defaults filled in. */
export type HttpRequestParams = z.infer<typeof paramsSchema>;

/**
 * Calls an HTTP API through the guarded client. Output: `{status, headers, body, bodyKind}`.
 * A status that is not expected fails the node with `node.http_status`; what the network or the guard did fails it
 * with `egress.<code>`.
 */
export function httpRequestNode(client: EgressClient): NodeKind<HttpRequestParams> {
  return {
    type: 'http.request',
    title: 'HTTP request',
    description: 'Calls an HTTP API and gives its status, headers and body to the nodes that follow.',
    role: 'action',
    purity: 'effect',
    params: paramsSchema,
    secrets: ['url', 'query', 'headers', 'auth', 'body'],
    ports: () => ['out'],
    execute: async (input) => outcomeOf(input, await client.request(toRequest(input))),
  };
}

function toRequest(input: NodeExecution<HttpRequestParams>): EgressRequest {
  const { params, idempotencyKey, signal, workspaceId, runId, nodeId, iteration, mask } = input;
  const content = requestContent(params.body);
  const defaults: HeaderPair[] = [];
  if (params.auth !== undefined) defaults.push(['Authorization', authorizationOf(params.auth)]);
  if (content !== null) defaults.push(['Content-Type', content.contentType]);
  // A crash between sending and recording repeats the call; the key lets the server see that it is the same one.
  if (isUnsafe(params.method)) defaults.push(['Idempotency-Key', idempotencyKey]);
  return {
    context: { workspaceId, runId, nodeId, iteration, mask: (text) => mask.text(text) },
    method: params.method,
    url: urlWithQuery(params),
    headers: Object.fromEntries(withDefaults(Object.entries(params.headers), defaults)),
    ...(content !== null && { body: content.text }),
    timeoutMs: Math.ceil(params.timeoutSeconds * 1000),
    maxResponseBytes: params.maxResponseBytes,
    followRedirects: params.followRedirects,
    signal,
  };
}

function outcomeOf(
  { params, now, mask }: NodeExecution<HttpRequestParams>,
  result: EgressResult,
): NodeOutcome {
  switch (result.kind) {
    case 'blocked': {
      const { rule, url, message } = result;
      const error = { code: 'egress.blocked', message, details: { rule, url } };
      return { kind: 'failed', error, retryable: false };
    }
    case 'failed': {
      const { code, message } = result;
      const retryable = retryableFaults[code];
      return {
        kind: 'failed',
        error: { code: `egress.${code}`, message },
        ...(retryable !== null && { retryable }),
      };
    }
    case 'response':
      return isSuccess(params, result.status)
        ? { kind: 'done', output: responseOutput(result) }
        : { kind: 'failed', error: unexpectedStatus(params, result, mask), ...advice(result, now) };
    default:
      return result satisfies never;
  }
}

/** Whether the same request may fare better later. Null: that depends on what nobody here can see. */
const retryableFaults: Readonly<Record<EgressFailureCode, boolean | null>> = {
  invalid_request: false,
  policy_unavailable: true,
  dns: true,
  connect: true,
  tls: null,
  timeout: true,
  aborted: null,
  connection_lost: true,
  redirect_loop: false,
  too_large: false,
  bad_response: null,
};

/** What an unexpected answer says about asking again. */
function advice(
  { status, headers }: EgressResponse,
  now: Date,
): { readonly retryable?: boolean; readonly retryAfterSeconds?: number } {
  const retryable = isRetryable(status);
  if (retryable === false) return { retryable };
  const seconds = retryAfterSeconds(headers, now);
  return {
    ...(retryable !== null && { retryable }),
    ...(seconds !== null && { retryAfterSeconds: seconds }),
  };
}

/** 408, 425, 429 and the server's own faults pass; any other 4xx is about the request. Below 400 nobody knows. */
function isRetryable(status: number): boolean | null {
  if (status < 400) return null;
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

function responseOutput(response: EgressResponse): JsonObject {
  const { body, bodyKind } = contentOf(response);
  return { status: response.status, headers: headerOutput(response.headers), body, bodyKind };
}

function unexpectedStatus(
  { method, successStatuses }: HttpRequestParams,
  response: EgressResponse,
  mask: OutputMask,
): NodeError {
  const { status } = response;
  const { body, bodyKind } = contentOf(response);
  // Masked before it is cut: nobody would find what the cut leaves of a secret.
  const text = mask.text(typeof body === 'string' ? body : JSON.stringify(body));
  const message =
    `${method} ${new URL(response.url).host} answered ${status}, expected ${successStatuses.join(', ')}. ` +
    'Look at the body for the reason; list the status in successStatuses if the workflow should go on.';
  const details = {
    status,
    // Cut first: the cut may split a surrogate pair.
    body: bodyKind === 'empty' ? '' : storableText(text.slice(0, SHOWN_BODY_CHARS)),
    bodyKind,
    truncated: text.length > SHOWN_BODY_CHARS,
  };
  return { code: 'node.http_status', message, details };
}

function isSuccess({ successStatuses }: HttpRequestParams, status: number): boolean {
  const statusClass = `${Math.floor(status / 100)}xx`;
  return successStatuses.some((expected) => expected === status || expected === statusClass);
}

function contentOf({ body, headers }: EgressResponse): ReturnType<typeof responseContent> {
  return responseContent(body, headers.get('content-type')?.[0] ?? '');
}

function hasAuthorization(headers: Readonly<Record<string, string>>): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}

/** Values of one name are joined, but cookies hold commas of their own and stay a list. */
function headerOutput(headers: EgressHeaders): JsonObject {
  const output = [...headers].map(([name, values]): [string, JsonValue] => {
    const storable = values.map(storableText);
    return [name, name === 'set-cookie' ? storable : storable.join(', ')];
  });
  return Object.fromEntries(output);
}

/** Appended as text: taking the URL's own query apart and together again would change how it is written. */
function urlWithQuery({ url, query }: HttpRequestParams): string {
  const added = formEncoded(query);
  if (added === '' || !URL.canParse(url)) return url;
  const parsed = new URL(url);
  parsed.search = parsed.search === '' ? added : `${parsed.search}&${added}`;
  return parsed.href;
}

function requestContent(body: HttpRequestParams['body']): { text: string; contentType: string } | null {
  if (body === undefined) return null;
  if ('json' in body) return { text: JSON.stringify(body.json), contentType: 'application/json' };
  if ('form' in body)
    return { text: formEncoded(body.form), contentType: 'application/x-www-form-urlencoded' };
  return { text: body.text, contentType: body.contentType ?? 'text/plain; charset=utf-8' };
}

function formEncoded(fields: Readonly<Record<string, string | number | boolean>>): string {
  const pairs = Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]);
  return new URLSearchParams(pairs).toString();
}

function isUnsafe(method: HttpRequestParams['method']): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'DELETE';
}

/** Walks level by level instead of recursing: a value deep enough to be refused would overflow the stack. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level = containersAmong([value]);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = containersAmong(level.flatMap(itemsOf));
  }
  return false;
}

function containersAmong(values: readonly unknown[]): object[] {
  return values.filter((value) => typeof value === 'object' && value !== null);
}

function itemsOf(container: object): unknown[] {
  return Object.values(container);
}
